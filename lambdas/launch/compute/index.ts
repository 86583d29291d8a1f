/**
 * The kinds of compute that tasks of a deployed project run on. A further kind is a file here and a line in the table: the handler of `launch`
 * knows only the interface.
 */
import type { Compute } from '../../../lib/functions/launch/compute.ts';
import { optional } from '../../aws/settings.ts';
import { ecs } from './ecs.ts';
import type { ComputeInput, MakeCompute } from './make-compute.ts';

/** By the kind that TROWEL_COMPUTE names. */
export const COMPUTES: { [kind: string]: MakeCompute } = {
  ecs,
};

const DEFAULT_KIND = 'ecs';

export function makeCompute(input: ComputeInput): Compute {
  const kind = optional('TROWEL_COMPUTE') ?? DEFAULT_KIND;
  const make = Object.hasOwn(COMPUTES, kind) ? COMPUTES[kind] : undefined;
  if (make !== undefined) return make(input);
  throw new Error(`There is no compute '${kind}' (TROWEL_COMPUTE); there are: ${Object.keys(COMPUTES).join(', ')}`);
}
