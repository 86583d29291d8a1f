/**
 * Every operator as data: its value, its options, its behaviour. The checks of keys, the JSON Schema for editors, the compiler's choice of
 * states, the functions, the terminal and the reference in docs/ all ask this table: nothing else lists operators by name.
 */
import { CODE } from './operators/code.ts';
import { lookUp } from './operators/elsewhere.ts';
import { FLOW } from './operators/flow.ts';
import { KINDS } from './operators/kinds.ts';
import { MESSAGES } from './operators/messages.ts';
import { SERVICES } from './operators/services.ts';
import type { Destination, KindSpec, LoopOver, OperatorKind, OperatorSpec, Runs } from './operators/spec.ts';
import type { Mapping } from './workflow.ts';

export const OPERATORS: { readonly [name: string]: OperatorSpec } = { ...MESSAGES, ...CODE, ...FLOW, ...SERVICES };

/*
 * Questions to the table. A name that is no operator has no kind and all answers are no: the parser reports it, and events of another
 * version may contain one.
 */

export function operatorSpec(name: string): OperatorSpec | undefined {
  return lookUp(OPERATORS, name);
}

export function kindOf(name: string): OperatorKind | undefined {
  return operatorSpec(name)?.kind;
}

/** Whether KINDS has this fact for the operator's kind. */
function ofKind(fact: keyof KindSpec): (name: string) => boolean {
  return (name) => {
    const kind = kindOf(name);
    return kind !== undefined && KINDS[kind][fact];
  };
}

export const becomesOneState = ofKind('oneState');
export const hasSeveralStates = ofKind('severalStates');
export const leadsToTasks = ofKind('leadsToTasks');
export const isInstant = ofKind('instant');

/** For a loop: what it repeats `_do` over. */
export function loopOver(name: string): LoopOver | undefined {
  const spec = operatorSpec(name);
  return spec?.kind === 'repeat' ? spec.over : undefined;
}

/** For an operator that runs user code: what runs the code. */
export function codeOf(name: string): Runs | undefined {
  const spec = operatorSpec(name);
  return spec?.kind === 'container' ? spec.runs : undefined;
}

/** For an operator that runs user code: the module of trowel_task/adapters that runs it, if it is not the runner's own. */
export function adapterOf(name: string): string | undefined {
  const spec = operatorSpec(name);
  return spec?.kind === 'container' ? spec.adapter : undefined;
}

/** Of an operator for user code: the second container that its tasks ask for. */
export function besideOf(name: string): Mapping | undefined {
  const spec = operatorSpec(name);
  return spec?.kind === 'container' ? spec.beside : undefined;
}

/** For an operator that a function carries out: the function's name. */
export function functionOf(name: string): 'http' | 'http_call' | 'notify' | undefined {
  const spec = operatorSpec(name);
  return spec?.kind === 'function' ? spec.function : undefined;
}

/** For an operator that sends a message: where it goes. */
export function sends(name: string): Destination | undefined {
  const spec = operatorSpec(name);
  return spec?.kind === 'function' && spec.function === 'notify' ? spec.sends : undefined;
}

/** Whether the operator itself can store parameters. */
export function mayStore(name: string): boolean {
  const stores = operatorSpec(name)?.stores ?? 'nothing';
  return stores !== 'nothing';
}

/** Whether another workflow's tasks run in the task's place. */
export function isCall(name: string): boolean {
  return kindOf(name) === 'inline';
}

/** Whether its tasks are known only while it runs: they cannot become states. */
export function makesTasks(name: string): boolean {
  return functionOf(name) === 'http_call';
}

/** Whether tasks are written below it: `_do`, or for a condition `_else_do` too. */
export function hasBody({ kind }: OperatorSpec): boolean {
  return kind === 'repeat' || kind === 'condition';
}
