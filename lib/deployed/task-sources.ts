import type { RunEvent } from '../events/run-event.ts';
import type { Launch } from './containers.ts';
import type { Logs } from './logs.ts';
import type { ReportParts } from './reports.ts';
import { TaskLog } from './task-log.ts';
import { TaskReports } from './task-reports.ts';

/** The places, besides the history, where a task's output is read. */
export interface Places {
  readonly logs: Logs;
  /** Log group of the project's tasks. */
  readonly group: string;
  readonly reports: ReportParts;
}

/** The output of one container in one of these places, page by page. */
export interface TaskSource {
  readonly what: 'print' | 'report';
  /** The next page; undefined at the present end. */
  read(): Promise<readonly RunEvent[] | undefined>;
}

/** A launch whose container is known has a log; it has reports where `launch` said so. */
export function taskSources({ logs, group, reports: parts }: Places, launch: Launch): readonly TaskSource[] {
  const { task, taskArn, reports } = launch;
  if (taskArn === undefined) return [];
  const log = new TaskLog(logs, group, task, taskArn);
  const sources: TaskSource[] = [{ what: 'print', read: () => log.read() }];
  if (reports !== undefined) {
    const reported = new TaskReports(parts, reports, task);
    sources.push({ what: 'report', read: () => reported.read() });
  }
  return sources;
}
