import { duration } from '../../events/text.ts';

/** Of an attempt here, or an execution on AWS: what the last columns of a list say. */
export interface Course {
  /** ISO 8601, as `ended`. */
  readonly started: string;
  readonly ended?: string;
  readonly status: string;
  /** What it continues. */
  readonly resumes?: string | number;
}

export const COURSE: readonly string[] = ['STARTED', 'TOOK', 'STATUS'];

export function courseCells({ started, ended, status, resumes }: Course): readonly string[] {
  return [
    started.replace(/\.\d+Z$/, 'Z'),
    ended === undefined ? '' : duration((Date.parse(ended) - Date.parse(started)) / 1000),
    status + (resumes === undefined ? '' : ` (continues ${resumes})`),
  ];
}
