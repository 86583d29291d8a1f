import { present } from '../../asl/present.ts';
import type { Json } from '../../asl/types.ts';
import type { Mapping } from '../../language/workflow.ts';
import { LocalCompute } from '../workers/compute.ts';
import type { SubtaskEvent } from '../workers/worker-messages.ts';
import type { RunEvents } from './run-events.ts';
import type { RunParts } from './run-parts.ts';

/**
 * The Python tasks of a run, whose output and dynamic subtasks become its events.
 * @param onCall answers a question of a task
 */
export function runCompute(
  { options, attempt, secrets, events, tokens }: RunParts,
  onCall: (fn: string, payload: Mapping) => Promise<unknown>,
): LocalCompute {
  const { python, debug } = options;
  const told = new Set<string>();
  return new LocalCompute({
    python,
    folder: attempt.folder,
    tokens: {
      succeed: (token, result) => tokens.succeed(token, result as Json),
      beat: (token) => tokens.beat(token),
      fail: (token, error, cause) => tokens.fail(token, error, cause),
    },
    secret: (key) => secrets.get(key),
    hidden: () => secrets.masker.values,
    mask: (text) => secrets.masker.mask(text),
    onOutput: (task, text) => events.print(task, text),
    onReport: (task, report) => events.report(task, report),
    onSubtask: (event) => emitSubtask(events, event),
    onReturned: (fn) => {
      if (!told.has(fn)) events.notice(lostReturn(fn));
      told.add(fn);
    },
    onCall,
    logFile: (task) => events.logFile(task),
    ...present({ debug }),
  });
}

/** digdag drops what a function returns without a word. */
function lostReturn(fn: string): string {
  return `${fn} returns a dict, and a return value goes nowhere. To hand it to the tasks that follow: digdag.env.store({…})`;
}

function emitSubtask(events: RunEvents, { task, operator, state, seconds = 0, error: failure }: SubtaskEvent): void {
  const time = new Date().toISOString();
  if (state === 'started') events.emit({ type: 'task-started', time, task, operator, try: 1 });
  else if (state === 'succeeded') events.emit({ type: 'task-succeeded', time, task, seconds });
  else {
    const { name: error = 'Trowel.TaskFailed', message = '', stacktrace, exit } = failure ?? {};
    const log = events.logFile(task);
    events.emit({
      type: 'task-failed',
      time,
      task,
      seconds,
      error,
      message,
      ...present({ stacktrace, log, exit }),
    });
  }
}
