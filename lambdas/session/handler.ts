import type { ScheduledPayload, SessionPayload, SessionResult } from '../../lib/expression/wire.ts';
import { inBucket } from '../aws/attempts.ts';
import { setting } from '../aws/settings.ts';
import { session } from './core.ts';
import type { Scheduled } from './scheduled.ts';

/** Invoked by the first state of an execution, and by EventBridge Scheduler. An error's name is what the state machine sees. */
export async function handler(event: SessionPayload | ScheduledPayload): Promise<SessionResult | Scheduled> {
  if ('scheduled' in event) {
    // Loaded only then: the client is most of this function's size.
    const { startScheduled } = await import('./scheduled-handler.ts');
    return startScheduled(event);
  }
  const { params, b } = await session(event);
  const attempt = { ...inBucket(b.attempt, setting('TROWEL_BUCKET')), execution: event.execution.Id };
  return { params, b: { ...b, attempt } };
}
