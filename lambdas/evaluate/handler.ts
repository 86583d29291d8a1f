import { checkVersion } from '../../lib/expression/protocol.ts';
import type { EvaluateResults, Payload } from '../../lib/expression/wire.ts';
import { confined, withValues } from '../aws/attempts.ts';
import { retriable } from '../aws/faults.ts';
import { Objects, s3Client } from '../aws/objects.ts';
import { setting } from '../aws/settings.ts';
import { evaluate } from './core.ts';

let objects: Objects | undefined;

/** Invoked by a state before a native operator. Templates of dynamic subtasks go to `render`. */
export const handler = retriable(async (given: Payload): Promise<EvaluateResults[keyof EvaluateResults]> => {
  checkVersion(given);
  objects ??= new Objects(s3Client(), setting('TROWEL_BUCKET'));
  const event = confined(given, objects.bucket);
  const values = objects.values(event);
  return withValues(event, objects, (payload) => evaluate(payload, values));
});
