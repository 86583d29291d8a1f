import type { EvaluateResults, Payload } from '../../lib/contract/payload.ts';
import { evaluate } from '../../lib/functions/evaluate/core.ts';

/**
 * Invoked by containers, for the templates of dynamic subtasks. Its input comes from user code, so it may read nothing: values by
 * reference are in the payload already (trowel_task/host/templates.py).
 */
export async function handler(event: Payload): Promise<EvaluateResults[keyof EvaluateResults]> {
  return evaluate(event);
}
