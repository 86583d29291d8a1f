import type { TaskSize } from '../language/fargate-sizes.ts';
import { ERRORS, TrowelError } from './errors.ts';

export interface TaskDefinition {
  /** With its revision. */
  readonly arn: string;
  readonly container: string;
  readonly size: TaskSize;
}

/**
 * Task definitions of a deployed project, by the key that the compiler gave a state for its image and secrets. Only the revision of each is
 * written out: a function's variables may have 4 KB in all.
 */
export interface DefinitionTable {
  /** ARN without the key: `arn:aws:ecs:…:task-definition/PROJECT-`. */
  readonly family: string;
  /** The container's name in each. */
  readonly container: string;
  /** The project's size, which each definition has. */
  readonly size: TaskSize;
  readonly revisions: { readonly [key: string]: string };
}

/** Definitions that fit next to the function's other variables. */
export const MOST_DEFINITIONS = 120;

/** @throws TrowelError Trowel.BadInput */
export function definitionOf({ family, container, size, revisions }: DefinitionTable, key = 'default'): TaskDefinition {
  const revision = Object.hasOwn(revisions, key) ? revisions[key] : undefined;
  if (revision !== undefined) return { arn: `${family}${key}:${revision}`, container, size };
  throw new TrowelError(
    ERRORS.badInput,
    `No task definition '${key}' was deployed; there are: ${Object.keys(revisions).join(', ')}`,
  );
}
