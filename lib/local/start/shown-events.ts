import type { RunEvent } from '../../events/run-event.ts';
import { wouldPrint } from '../dry-run.ts';
import { isWithin } from '../taken.ts';

/** What is of interest of a run. @param only full name of the one task that is run with the values of an earlier attempt */
export async function* shownEvents(
  run: AsyncIterable<RunEvent>,
  dryRun: boolean,
  only: string | undefined,
): AsyncGenerator<RunEvent> {
  for await (const event of run) {
    // Of the other tasks: whose results were taken, and what went wrong.
    const other = only !== undefined && 'task' in event && !isWithin(event.task, only);
    if (other && event.type !== 'task-failed' && !(event.type === 'task-succeeded' && event.replayed)) continue;
    if (dryRun && event.type === 'task-output') {
      // Nothing runs, so nothing is printed: it is only reported.
      const { time, task, text } = event;
      yield { type: 'notice', time, message: wouldPrint(task, text) };
    } else yield event;
  }
}
