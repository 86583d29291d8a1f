/**
 * A machine as the text that is deployed. CloudFormation replaces each `${NAME}` in it by a value, wherever it is. So in any other text (a
 * user's, an expression's) a dollar sign before a brace is written as `\u0024`, which is the same JSON.
 */
import { createHash } from 'node:crypto';
import type { Json, Processor, State, StateMachine } from '../asl/types.ts';

/**
 * The placeholders that a deployment replaces. The name of a function or a machine is the whole argument; names of machines are also in the
 * table from which `call>: ${…}` chooses; the beginning of an execution's ARN is at the start of an expression. A machine's name follows
 * `sm_` and `arn_`.
 */
const PLACEHOLDERS: { readonly [argument: string]: RegExp } = {
  FunctionName: /^\$\{(?:session|launch|evaluate|http|http_call|notify)\}$/g,
  StateMachineArn: /^\$\{sm_[^${}]+\}$|(?<=^\{% \$lookup\(.*')\$\{sm_[^${}']+\}(?=')/gs,
  ExecutionArn: /(?<=^\{% ")\$\{arn_[^${}"]+\}(?=:")/g,
};

/** In the payload of `session`, deployed: the ARN of the role that the workflow's tasks have. */
export const TASK_ROLE = '${task_role}';

export function definitionText(machine: StateMachine): string {
  const { States, ...others } = machine;
  return object([...members(others), ['States', states(States)]]);
}

type Member = readonly [string, string];

function object(all: readonly Member[]): string {
  return `{${all.map(([key, text]) => `${escaped(key)}:${text}`).join(',')}}`;
}

function members(fields: object): Member[] {
  return Object.entries(fields).flatMap(([key, value]) =>
    value === undefined ? [] : [[key, escaped(value as Json)] as const],
  );
}

function states(all: Processor['States']): string {
  return object(Object.entries(all).map(([name, state]) => [name, stateText(state)]));
}

function stateText(state: State): string {
  switch (state.Type) {
    case 'Parallel': {
      const { Branches, ...others } = state;
      return object([...members(others), ['Branches', `[${Branches.map(processor).join(',')}]`]]);
    }
    case 'Map': {
      const { ItemProcessor, ...others } = state;
      return object([...members(others), ['ItemProcessor', processor(ItemProcessor)]]);
    }
    case 'Task': {
      const { Arguments, ...others } = state;
      return object([
        ...members(others),
        ...(Arguments === undefined ? [] : [['Arguments', argumentsText(Arguments)] as const]),
      ]);
    }
    default:
      return object(members(state));
  }
}

function processor({ States, ...others }: Processor): string {
  return object([...members(others), ['States', states(States)]]);
}

function argumentsText(given: Json): string {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) return escaped(given);
  const { FunctionName } = given as { readonly [key: string]: Json };
  return object(
    Object.entries(given).map(([key, value]) => [
      key,
      key === 'Payload' && FunctionName === '${session}' ? sessionPayload(value) : argument(key, value),
    ]),
  );
}

/** No user's text is at this place. */
function sessionPayload(payload: Json): string {
  if (typeof payload !== 'object' || payload === null || Array.isArray(payload)) return escaped(payload);
  return object(
    Object.entries(payload).map(([key, value]) => [
      key,
      key === 'taskRole' && value === TASK_ROLE ? JSON.stringify(value) : escaped(value),
    ]),
  );
}

function argument(key: string, value: Json): string {
  const placeholders = PLACEHOLDERS[key];
  if (typeof value !== 'string' || placeholders === undefined) return escaped(value);
  let text = '';
  let end = 0;
  for (const { 0: found, index } of value.matchAll(placeholders)) {
    text += `${escaped(value.slice(end, index)).slice(1, -1)}\${${substitution(found.slice(2, -1))}}`;
    end = index + found.length;
  }
  return `"${text}${escaped(value.slice(end)).slice(1)}`;
}

function escaped(value: Json): string {
  return JSON.stringify(value).replaceAll('${', '\\u0024{');
}

/** The name of a placeholder in a definition's substitutions: CloudFormation takes only word characters. */
export function substitution(name: string): string {
  if (/^\w+$/.test(name)) return name;
  const hash = createHash('sha256').update(name).digest('hex').slice(0, 8);
  return `${name.replaceAll(/\W/g, '_')}_${hash}`;
}
