import type { LaunchPayload } from '../../../lib/contract/payload.ts';
import type { Compute } from '../../../lib/functions/launch/compute.ts';
import type { Objects } from '../../aws/objects.ts';

/** The input of one invocation. A kind of compute reads its own settings (`../../aws/settings.ts`). */
export interface ComputeInput {
  readonly event: LaunchPayload;
  /** The project's bucket. */
  readonly objects: Objects;
}

export type MakeCompute = (input: ComputeInput) => Compute;
