/** A new execution: its name, and its input as `session` reads it (lib/functions/session/core.ts). */

import { randomBytes } from 'node:crypto';
import { isMapping } from '../asl/json.ts';
import { present } from '../asl/present.ts';
import { executionPrefix } from '../contract/deployed-names.ts';
import { merged } from '../contract/stores.ts';
import { at, parsed, textOf } from '../events/history-value.ts';
import { encode, holdsPrefix } from '../language/value-form.ts';
import type { Mapping, Value } from '../language/workflow.ts';
import { resumedBy } from './resumed.ts';
import type { ExecutionDescription, States } from './states.ts';

export interface ExecutionInput {
  session_time?: string;
  params?: Mapping;
  /** `params` are in wire form (lib/language/value-form.ts). */
  encoded?: true;
  /** Names of earlier executions, nearest first: the whole chain, for each has results that the next did not repeat. */
  resume_from?: string[];
}

/** `main-20301121T070000Z-3f9c2a`: the workflow, when it was asked for, and what makes it unique. */
export function newExecutionName(workflow: string, now: number): string {
  const time = new Date(now).toISOString().replace(/\.\d+|[-:]/g, '');
  return `${executionPrefix(workflow)}-${time}-${randomBytes(3).toString('hex')}`;
}

export function newInput(session: string | undefined, params: Mapping): ExecutionInput {
  return {
    ...present({ session_time: session }),
    ...(Object.keys(params).length !== 0 && { params }),
    ...present({ encoded: holdsPrefix(params) || undefined }),
  };
}

/**
 * The same session and parameters again. An earlier input may say `daily`, or nothing, which would mean another session today: what
 * `session` made of it then is asked of the history.
 */
export async function inputAgain(
  states: Pick<States, 'history'>,
  earlier: ExecutionDescription,
  { resume, params }: { readonly resume: boolean; readonly params: Mapping },
): Promise<ExecutionInput> {
  const input = parsed(earlier.input);
  const session = (await sessionTimeOf(states, earlier)) ?? textOf(input, 'session_time');
  const given = at(input, 'params') as Value | undefined;
  const said = isMapping(given) ? given : {};
  const before = at(input, 'encoded') === true ? said : encode(said);
  return {
    ...newInput(session, merged(before, params)),
    ...(resume && { resume_from: [earlier.name, ...resumedBy(input)] }),
  };
}

/** Events at the beginning of a history among which `session` answers, its tries included. */
const FIRST = 40;

/** `2030-01-31T00:00:00+09:00`, as `session` has decided it; undefined if it did not. */
export async function sessionTimeOf(
  states: Pick<States, 'history'>,
  { arn }: Pick<ExecutionDescription, 'arn'>,
): Promise<string | undefined> {
  const { events } = await states.history(arn, { most: FIRST });
  for (const { taskSucceededEventDetails: details } of events) {
    const time = textOf(parsed(details?.output), 'Payload', 'b', 'vars', 'session_time');
    if (time !== undefined) return time;
  }
  return undefined;
}
