import { isMapping } from '../../asl/json.ts';
import { present } from '../../asl/present.ts';
import type { Beside } from '../../contract/assignment.ts';
import { ERRORS, TrowelError } from '../../contract/errors.ts';
import type { Value } from '../../language/workflow.ts';
import { envOf, textOf } from './env.ts';

/**
 * Reads the second container that a task asks for from its rendered key `_beside`.
 * @throws TrowelError Trowel.BadInput
 */
export function besideOf(given: Value | undefined): Beside | undefined {
  if (given === undefined || given === null) return undefined;
  const { image, command, env } = isMapping(given) ? given : {};
  if (typeof image !== 'string' || image === '') throw bad('the name of an image for _beside.image', image);
  if (command !== undefined && !Array.isArray(command)) throw bad('a list for _beside.command', command);
  if (env !== undefined && !isMapping(env)) throw bad('a mapping for _beside.env', env);
  return {
    image,
    ...present({
      command: command?.map(textOf),
      env: env === undefined ? undefined : envOf(env, '_beside.env'),
    }),
  };
}

function bad(expected: string, got: Value | undefined): TrowelError {
  return new TrowelError(ERRORS.badInput, `Expected ${expected}, got ${JSON.stringify(got ?? null)} (config)`);
}
