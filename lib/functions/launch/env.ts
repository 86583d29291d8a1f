import { isMapping } from '../../asl/json.ts';
import { ERRORS, TrowelError } from '../../contract/errors.ts';
import { exactText, isLeaf } from '../../language/value-form.ts';
import type { Value } from '../../language/workflow.ts';

/**
 * Variables of a process, as a task's keys give them.
 * @param key where they are, for the message
 * @throws TrowelError Trowel.BadInput
 */
export function envOf(given: Value | undefined, key: string): { [name: string]: string } {
  const env: { [name: string]: string } = {};
  for (const [name, value] of Object.entries(isMapping(given) ? given : {})) {
    if (!/^[A-Za-z_][A-Za-z_0-9]*$/.test(name)) {
      throw new TrowelError(ERRORS.badInput, `Invalid ${key} key name: ${name}`);
    }
    env[name] = textOf(value);
  }
  return env;
}

export function textOf(value: Value): string {
  if (typeof value === 'string') return value;
  if (value === null) return '';
  return isLeaf(value) ? value.text : exactText(value);
}
