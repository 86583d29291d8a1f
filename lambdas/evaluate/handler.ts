import { retriable } from '../../lib/contract/faults.ts';
import type { EvaluateResults, Payload } from '../../lib/contract/payload.ts';
import { checkVersion } from '../../lib/contract/protocol.ts';
import { evaluate } from '../../lib/functions/evaluate/core.ts';
import { confined, withValues } from '../aws/attempts.ts';
import { Objects, s3Client } from '../aws/objects.ts';
import { setting } from '../aws/settings.ts';

let objects: Objects | undefined;

/** Invoked by a state before a native operator. Templates of dynamic subtasks go to `render`. */
export const handler = retriable(async (given: Payload): Promise<EvaluateResults[keyof EvaluateResults]> => {
  checkVersion(given);
  objects ??= new Objects(s3Client(), setting('TROWEL_BUCKET'));
  const event = confined(given, objects.bucket);
  const values = objects.values(event);
  return withValues(event, objects, (payload) => evaluate(payload, values));
});
