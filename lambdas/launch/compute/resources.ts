import type { ContainerOverride, TaskOverride } from '@aws-sdk/client-ecs';
import { present } from '../../../lib/asl/present.ts';
import { ERRORS, TrowelError } from '../../../lib/contract/errors.ts';
import { cpuOf, diskOf, memoryOf, misfit, type TaskSize, WANTED } from '../../../lib/language/fargate-sizes.ts';
import type { Mapping, Value } from '../../../lib/language/workflow.ts';

/** The parts of a task definition that a task's `resources:` change. */
export interface Size {
  readonly task: Pick<TaskOverride, 'cpu' | 'memory' | 'ephemeralStorage'>;
  readonly container: Pick<ContainerOverride, 'cpu' | 'memory'>;
  readonly spot?: boolean;
}

/**
 * Reads `{cpu, memory, disk, spot}`; for each that is left out, the task definition's (`defined`) counts. Throws Trowel.BadInput for what
 * is no size, and for a pair that Fargate does not have.
 */
export function sizeOf(resources: Mapping | undefined, defined: TaskSize): Size {
  const cpu = read('cpu', resources?.cpu, cpuOf);
  const memory = read('memory', resources?.memory, memoryOf);
  const disk = read('disk', resources?.disk, diskOf);
  checkPair({ cpu: cpu ?? defined.cpu, memory: memory ?? defined.memory });
  const { spot } = resources ?? {};
  return {
    // A container may have limits of its own in the definition, so it gets what the task gets.
    task: {
      ...present({
        cpu: cpu === undefined ? undefined : String(cpu),
        memory: memory === undefined ? undefined : String(memory),
        ephemeralStorage: disk === undefined ? undefined : { sizeInGiB: disk },
      }),
    },
    container: { ...present({ cpu, memory }) },
    ...present({ spot: spot === undefined || spot === null ? undefined : spot === true || spot === 'true' }),
  };
}

function read(
  key: keyof typeof WANTED,
  given: Value | undefined,
  of: (value: Value) => number | undefined,
): number | undefined {
  if (given === undefined || given === null) return undefined;
  const size = of(given);
  if (size !== undefined) return size;
  throw new TrowelError(
    ERRORS.badInput,
    `Expected ${WANTED[key]} for resources.${key}, got ${JSON.stringify(given)} (config)`,
  );
}

function checkPair(size: TaskSize): void {
  const fault = misfit(size);
  if (fault !== undefined) throw new TrowelError(ERRORS.badInput, `${fault.message} (config)\n${fault.hint}`);
}
