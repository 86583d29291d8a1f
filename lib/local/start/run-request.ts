/** What is asked of a run: the same for the command line, a page and tests. */
import type { HistoryEvent } from '../../engine/history.ts';
import type { Diagnostic } from '../../language/diagnostic.ts';
import type { Project } from '../../language/project.ts';
import { usageFault } from '../../language/request-fault.ts';
import { zoneHint, zoneOf } from '../../language/timezone.ts';
import type { Mapping } from '../../language/workflow.ts';

export interface RunRequest {
  /** Absolute: where `project` and `workflow` are looked for. */
  readonly folder: string;
  /** Folder of the project; absent: it is looked for (lib/language/find-project.ts). */
  readonly project?: string | undefined;
  /** A .dig file, with or without .dig; absent: the only one. */
  readonly workflow?: string | undefined;
  /** Only this task or group: the end of its full name. The same for the three below (lib/compiler/select-tasks.ts). */
  readonly task?: string | undefined;
  readonly start?: string | undefined;
  readonly goal?: string | undefined;
  readonly end?: string | undefined;
  /** `daily`, `hourly`, `schedule`, `last` or a time; absent: `last`. With `resume` and `fromLast` it names the attempt. */
  readonly session?: string | undefined;
  /** Of workflows that name none. */
  readonly timezone?: string | undefined;
  /** Over those of trowel.yml, later ones over earlier. When a run is continued they are put over those that it had. */
  readonly params?: readonly Mapping[] | undefined;
  /** Continues the last attempt that did not succeed. */
  readonly resume?: boolean | undefined;
  /** With `resume`: also does again the tasks whose Python code has changed. */
  readonly rerunChanged?: boolean | undefined;
  /** With `task`: gives it the values that earlier tasks stored in the last attempt. */
  readonly fromLast?: boolean | undefined;
  /** Evaluates everything, and runs no task. */
  readonly dryRun?: boolean | undefined;
  /** Notices show the variables that each task sees. */
  readonly showParams?: boolean | undefined;
  /** Folder of the history, relative to the project; false: none is kept. Default `.trowel`. */
  readonly save?: string | false | undefined;
  /** At once. */
  readonly maxTasks?: number | undefined;
  /** This Python task runs in a debugger: pdb in this terminal, or debugpy on `debugPort`. */
  readonly debug?: string | undefined;
  readonly debugPort?: number | undefined;
}

/** What a run needs of the process that starts it. */
export interface RunServices {
  /** Default: that of the process. */
  readonly env?: NodeJS.ProcessEnv;
  /** Stops the run, and before it the installation of packages. */
  readonly signal?: AbortSignal;
  /** What the files say wrong, before anything is started; the project has their texts. */
  readonly onDiagnostics?: (diagnostics: readonly Diagnostic[], project: Project) => void | Promise<void>;
  /** How the Python environment is made, before there are events. */
  readonly onNotice?: (message: string) => void;
  /** The command that sets a secret, to paste. @param folder of the project */
  readonly secretCommand?: (key: string, folder: string) => string;
  /** Every event of every machine. */
  readonly onHistory?: (event: HistoryEvent) => void;
}

/** Throws a RequestFault for what does not go together. */
export function checkRequest(request: RunRequest): void {
  const { resume, fromLast, save, task, start, goal, end, timezone } = request;
  if (resume && save === false) throw usageFault('--resume needs the history that --no-save does not keep');
  if (fromLast && (task === undefined || start !== undefined || goal !== undefined || end !== undefined)) {
    throw usageFault('--from-last needs one task: trowel run main.dig +task --from-last');
  }
  if (fromLast && (resume || request.dryRun || save === false)) {
    throw usageFault('--from-last does not go together with --resume, --dry-run or --no-save');
  }
  if (request.rerunChanged && !resume) throw usageFault('--rerun-changed needs --resume');
  if (request.debugPort !== undefined && request.debug === undefined) {
    throw usageFault('--debug-port needs --debug +task');
  }
  if (timezone !== undefined && zoneOf(timezone) === undefined) {
    throw usageFault(`--timezone ${timezone}: no such time zone`, zoneHint(timezone));
  }
}
