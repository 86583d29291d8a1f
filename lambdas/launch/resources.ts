import type { ContainerOverride, TaskOverride } from '@aws-sdk/client-ecs';
import { TrowelError } from '../../lib/expression/failure.ts';
import { ERRORS } from '../../lib/expression/wire.ts';
import type { Mapping, Value } from '../../lib/language/workflow.ts';

/** What a task's `resources:` change of its task definition. */
export interface Size {
  readonly task: Pick<TaskOverride, 'cpu' | 'memory' | 'ephemeralStorage'>;
  readonly container: Pick<ContainerOverride, 'cpu' | 'memory'>;
  readonly spot?: boolean;
}

/** Reads `{cpu, memory, disk, spot}`; each may be left out. Throws Trowel.BadInput for what is no size. */
export function sizeOf(resources: Mapping = {}): Size {
  const cpu = number(resources.cpu, 'cpu', 'units, as 1024 for one vCPU', 256, 16_384);
  const memory = megabytes(resources.memory);
  const disk = number(resources.disk, 'disk', 'gigabytes from 21 to 200', 21, 200);
  const { spot } = resources;
  return {
    // A container may have limits of its own in the definition, so it gets what the task gets.
    task: {
      ...(cpu === undefined ? {} : { cpu: String(cpu) }),
      ...(memory === undefined ? {} : { memory: String(memory) }),
      ...(disk === undefined ? {} : { ephemeralStorage: { sizeInGiB: disk } }),
    },
    container: { ...(cpu === undefined ? {} : { cpu }), ...(memory === undefined ? {} : { memory }) },
    ...(spot === undefined || spot === null ? {} : { spot: spot === true || spot === 'true' }),
  };
}

function number(given: Value | undefined, key: string, what: string, least: number, most: number): number | undefined {
  if (given === undefined || given === null) return undefined;
  const value = typeof given === 'string' && /^\s*\d+\s*$/.test(given) ? Number(given) : given;
  if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most) return value;
  throw wrong(key, what, given);
}

function megabytes(given: Value | undefined): number | undefined {
  if (given === undefined || given === null) return undefined;
  const [, count, unit = ''] = /^\s*(\d+(?:\.\d+)?)\s*([MG])i?B?\s*$/i.exec(String(given)) ?? [];
  if (count !== undefined) return Math.round(Number(count) * (unit.toUpperCase() === 'G' ? 1024 : 1));
  throw wrong('memory', 'a size, as 512MB or 2GB', given);
}

function wrong(key: string, what: string, given: Value): TrowelError {
  return new TrowelError(
    ERRORS.badInput,
    `Expected ${what} for resources.${key}, got ${JSON.stringify(given)} (config)`,
  );
}
