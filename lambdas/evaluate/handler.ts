import { checkVersion } from '../../lib/expression/protocol.ts';
import type { EvaluateResults, Payload } from '../../lib/expression/wire.ts';
import { confined, withValues } from '../aws/attempts.ts';
import { retriable } from '../aws/faults.ts';
import { Objects, s3Client } from '../aws/objects.ts';
import { setting } from '../aws/settings.ts';
import { evaluate } from './core.ts';

let objects: Objects | undefined;

/** Invoked by a state before a native operator. Templates of dynamic subtasks go to `render`. */
export const handler = retriable(async (event: Payload): Promise<EvaluateResults[keyof EvaluateResults]> => {
  checkVersion(event);
  objects ??= new Objects(s3Client(), setting('TROWEL_BUCKET'));
  return withValues(confined(event, objects.bucket), objects, evaluate);
});
