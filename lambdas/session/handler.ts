import { isMapping } from '../../lib/asl/json.ts';
import { present } from '../../lib/asl/present.ts';
import { ERRORS, TrowelError } from '../../lib/contract/errors.ts';
import type { ScheduledPayload, SessionPayload, SessionResult } from '../../lib/contract/payload.ts';
import { session } from '../../lib/functions/session/core.ts';
import type { Scheduled } from '../../lib/functions/session/scheduled.ts';
import { inBucket } from '../aws/attempts.ts';
import { setting } from '../aws/settings.ts';

/** Invoked by the first state of an execution, and by EventBridge Scheduler. An error's name is what the state machine sees. */
export async function handler(event: SessionPayload | ScheduledPayload): Promise<SessionResult | Scheduled> {
  if ('scheduled' in event) {
    // Loaded only then: the client is most of this function's size.
    const { startScheduled } = await import('./scheduled-handler.ts');
    return startScheduled(event);
  }
  // Set by the local runner only; deployed, the place follows from the execution.
  if (isMapping(event.input) && Object.hasOwn(event.input, 'root'))
    throw new TrowelError(ERRORS.badInput, "The execution's input is wrong: 'root' is not chosen by the input");
  const { params, b } = await session(event);
  const { taskRole } = event;
  const attempt = {
    ...b.attempt,
    execution: event.execution.Id,
    ...present({ taskRole }),
  };
  return { params, b: { ...b, attempt: inBucket(attempt, setting('TROWEL_BUCKET')) } };
}
