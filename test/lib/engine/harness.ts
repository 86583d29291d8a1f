import type { Json, StateMachine } from '../../../lib/asl/types.ts';
import { validateMachine } from '../../../lib/asl/validate.ts';
import { VirtualClock } from '../../../lib/engine/clock.ts';
import { type ExecutionOptions, execute } from '../../../lib/engine/execution.ts';
import type { HistoryEvent } from '../../../lib/engine/history.ts';
import type { Outcome } from '../../../lib/engine/types.ts';

export type States = { readonly [name: string]: object };

/** A machine that starts at its first state. */
export function machineOf(states: States, more: object = {}): StateMachine {
  const machine = { QueryLanguage: 'JSONata', StartAt: Object.keys(states)[0] ?? '', States: states, ...more };
  const faults = validateMachine(machine);
  if (faults.length > 0) {
    throw new Error(`A fault in the test's machine: ${JSON.stringify(faults)}`);
  }
  return machine as unknown as StateMachine;
}

export interface Ran {
  readonly outcome: Outcome;
  readonly events: readonly HistoryEvent[];
  /** Virtual seconds it took. */
  readonly seconds: number;
}

/** Runs it on a virtual clock; tasks without an `invoke` give back their arguments. */
export async function run(machine: StateMachine, options: Partial<ExecutionOptions> = {}): Promise<Ran> {
  const clock = options.clock ?? new VirtualClock();
  const start = clock.now();
  const execution = execute(machine, {
    input: {},
    clock,
    invoke: async (call) => call.arguments,
    ...options,
  });
  const events: HistoryEvent[] = [];
  for await (const event of execution) {
    events.push(event);
  }
  return { outcome: await execution.outcome, events, seconds: (clock.now() - start) / 1000 };
}

/** The output of a machine that must succeed. */
export async function outputOf(states: States, options: Partial<ExecutionOptions> = {}): Promise<Json> {
  const { outcome } = await run(machineOf(states), options);
  if (outcome.status !== 'SUCCEEDED') {
    throw new Error(`${outcome.status}: ${outcome.error}: ${outcome.cause}`);
  }
  return outcome.output;
}

/** What one expression gives in a Pass. */
export function evaluate(expression: string, input: Json = {}, options: Partial<ExecutionOptions> = {}): Promise<Json> {
  return outputOf({ A: { Type: 'Pass', Output: `{% ${expression} %}`, End: true } }, { input, ...options });
}

/** `id<previous Type`, to compare with recorded histories. */
export function shape(events: readonly HistoryEvent[]): string[] {
  return events
    .filter(({ type }) => type !== 'RetryScheduled')
    .map(({ id, previousEventId, type }) => `${id}<${previousEventId} ${type}`);
}

export const pass = (more: object = {}) => ({ Type: 'Pass', End: true, ...more });
export const task = (more: object = {}) => ({
  Type: 'Task',
  Resource: 'arn:aws:states:::lambda:invoke',
  End: true,
  ...more,
});
