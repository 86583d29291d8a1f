/**
 * A machine as the text of a definition asset. CloudFormation replaces `${name}` anywhere in it, so what a user wrote in that form
 * must not look like it: its `$` is written as `\u0024`. Only the places where the compiler puts a name of its own keep theirs.
 */
import { createHash } from 'node:crypto';
import type { Json, State, StateMachine } from '../asl/types.ts';
import type { Mapping } from '../language/workflow.ts';
import { mapTasks } from './states.ts';

/** Private-use characters stand for the braces of a placeholder while the rest is escaped. */
const OPEN = '\ue000';
const CLOSE = '\ue001';
/** Arguments in which the compiler writes placeholders: a whole value, or in an expression. */
const PLACES = ['FunctionName', 'StateMachineArn', 'ExecutionArn'];

export function definitionText(machine: StateMachine): string {
  const marked = {
    ...machine,
    States: mapTasks(machine.States, (state) => {
      const given = state.Arguments;
      if (given === null || typeof given !== 'object' || Array.isArray(given)) return state;
      const changed: Mapping = { ...(given as Mapping) };
      for (const place of PLACES) {
        const value = changed[place];
        if (typeof value === 'string') changed[place] = markPlaceholder(value);
      }
      return { ...state, Arguments: changed as Json } as State;
    }),
  };
  return JSON.stringify(marked).replaceAll('${', '\\u0024{').replaceAll(OPEN, '${').replaceAll(CLOSE, '}');
}

function markPlaceholder(value: string): string {
  return value.replace(
    /^(\{% ")?\$\{(session|evaluate|launch|http|notify|(?:sm|arn)_.*?)\}(?=$|:")/s,
    (_, before = '', name) => {
      return `${before}${OPEN}${substitution(name)}${CLOSE}`;
    },
  );
}

/** The name in a definition's substitutions: CloudFormation takes word characters alone. */
export function substitution(name: string): string {
  if (/^\w+$/.test(name)) return name;
  const hash = createHash('sha256').update(name).digest('hex').slice(0, 8);
  return `${name.replaceAll(/\W/g, '_')}_${hash}`;
}
