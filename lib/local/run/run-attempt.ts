import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { present } from '../../asl/present.ts';
import type { Json } from '../../asl/types.ts';
import type { RunEvent, RunStatus } from '../../events/run-event.ts';
import { holdsPrefix } from '../../language/value-form.ts';
import type { Attempt } from '../history/attempt.ts';
import type { AttemptMeta } from '../history/attempt-info.ts';
import { resumeChain } from '../history/attempts.ts';
import { createAttempt } from '../history/create-attempt.ts';
import type { Runnable, RunOptions } from './run-options.ts';

/** The attempt that a run makes: its folder (kept or not), and those of the attempts that it resumes. */
export class RunAttempt {
  readonly record: Attempt;
  /** What holds the attempt's folder: `.trowel` of a project, or a temporary folder. */
  readonly folder: string;
  /** Whether anything remains after the run. */
  readonly kept: boolean;
  /** Folders of the attempts that it resumes, nearest first. */
  readonly resumed: readonly string[];
  readonly #rerunChanged: boolean;

  constructor({ resume, historyFolder, workflow, sessionTime, params, rerunChanged = false }: RunOptions) {
    this.kept = historyFolder !== undefined;
    this.folder = historyFolder ?? mkdtempSync(join(tmpdir(), 'trowel-'));
    this.record = createAttempt(this.folder, {
      workflow,
      session_time: resume?.session_time ?? sessionTime,
      params: resume?.params ?? params,
      ...present({ resumes: resume?.attempt }),
    });
    this.resumed = resume === undefined || historyFolder === undefined ? [] : resumeChain(historyFolder, resume);
    this.#rerunChanged = rerunChanged;
  }

  get meta(): AttemptMeta {
    return this.record.meta;
  }

  /** The attempt's own folder. */
  get root(): string {
    return this.record.directory;
  }

  started(): RunEvent {
    const { started, workflow, session_time, attempt, session, resumes } = this.meta;
    return {
      type: 'run-started',
      time: started,
      workflow,
      session_time,
      attempt,
      session,
      directory: this.kept ? this.root : '',
      ...present({ resumes }),
    };
  }

  /** The machine's input. */
  input(): Json {
    const { session_time, params, session, attempt } = this.meta;
    return {
      session_time,
      params,
      ...present({ encoded: holdsPrefix(params) || undefined }),
      session_id: session,
      attempt_id: attempt,
      root: this.root,
      ...(this.resumed.length !== 0 && { resume_from: [...this.resumed] }),
      ...present({ rerun_changed: this.#rerunChanged || undefined }),
    };
  }

  /** That of a workflow that require> starts: its own session, its files below those of this attempt. */
  inputBelow(name: string, input: { readonly [key: string]: Json }, session: number): Json {
    const below = (root: string): string => join(root, 'required', name);
    return {
      ...input,
      session_id: session,
      attempt_id: this.meta.attempt,
      root: below(this.root),
      ...(this.resumed.length !== 0 && { resume_from: this.resumed.map(below) }),
    };
  }

  writeDefinition({ machine, nested }: Runnable): void {
    this.record.writeDefinition(JSON.stringify(Object.keys(nested).length === 0 ? machine : { machine, nested }));
  }

  end(status: RunStatus, error?: string): void {
    this.record.end(status, error);
  }

  /** The whole folder, if nothing is to remain. */
  removeUnlessKept(): void {
    if (!this.kept) rmSync(this.folder, { recursive: true, force: true });
  }
}
