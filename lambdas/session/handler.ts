import type { SessionPayload, SessionResult } from '../../lib/expression/wire.ts';
import { inBucket } from '../aws/attempts.ts';
import { setting } from '../aws/settings.ts';
import { session } from './core.ts';

/** Invoked by the first state of an execution. An error's name is what the state machine sees. */
export async function handler(event: SessionPayload): Promise<SessionResult> {
  const { params, b } = await session(event);
  return { params, b: { ...b, attempt: inBucket(b.attempt, setting('TROWEL_BUCKET')) } };
}
