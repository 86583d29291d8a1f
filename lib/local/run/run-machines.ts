import { present } from '../../asl/present.ts';
import type { Json, StateMachine } from '../../asl/types.ts';
import { TaskError } from '../../engine/errors.ts';
import { execute } from '../../engine/execution.ts';
import type { Invoke, Outcome } from '../../engine/types.ts';
import { TaskEvents } from '../../events/task-events.ts';
import type { ChildExecution } from '../functions/executions.ts';
import type { Runnable } from './run-options.ts';
import type { RunParts } from './run-parts.ts';

type Child = Omit<ChildExecution, 'arn'>;

/** The machines of a run: the workflow's own, and those that they start. Each one's events become the run's. */
export class RunMachines {
  readonly #parts: RunParts;
  readonly #invoke: Invoke;
  /** What each running execution belongs to, by its name. */
  readonly #compiled = new Map<string, Runnable>();
  #children = 0;

  constructor(parts: RunParts, invoke: Invoke) {
    this.#parts = parts;
    this.#invoke = invoke;
  }

  /** The workflow's own. */
  main(): Promise<Outcome> {
    const { options, attempt, signal } = this.#parts;
    const { compiled } = options;
    return this.#execute(compiled, compiled.machine, `attempt-${attempt.meta.attempt}`, attempt.input(), signal);
  }

  /** One that became known only now (http_call>, add_subtask). */
  part(compiled: Runnable, input: Json, signal: AbortSignal): Promise<Outcome> {
    this.#children += 1;
    return this.#execute(compiled, compiled.machine, `part-${this.#children}`, input, signal);
  }

  /** One that a machine starts by its name: a part that was split off, or a workflow that require> names. */
  child(name: string, child: Child): Promise<Outcome> | undefined {
    const { compiled, required } = this.#parts.options;
    const caller = this.#compiled.get(child.caller) ?? compiled;
    const nested = caller.nested[name];
    if (nested !== undefined) return this.#execute(caller, nested, child.name, child.input, child.signal);
    if (required === undefined) return undefined;
    return this.#require(name, required, child);
  }

  async #require(
    name: string,
    required: (workflow: string) => Promise<Runnable | undefined>,
    child: Child,
  ): Promise<Outcome> {
    const other = await required(name);
    if (other === undefined) {
      throw new TaskError(
        'StepFunctions.StateMachineDoesNotExistException',
        `There is no workflow '${name}' in this project`,
      );
    }
    this.#children += 1;
    const { attempt } = this.#parts;
    const given = child.input as { readonly [key: string]: Json };
    const input = attempt.inputBelow(child.name, given, attempt.meta.session + this.#children);
    return this.#execute(other, other.machine, child.name, input, child.signal);
  }

  async #execute(
    compiled: Runnable,
    machine: StateMachine,
    name: string,
    input: Json,
    signal: AbortSignal,
  ): Promise<Outcome> {
    const { options, events, tokens } = this.#parts;
    const { clock, onHistory } = options;
    this.#compiled.set(name, compiled);
    const execution = execute(machine, {
      input,
      name,
      invoke: this.#invoke,
      tokens: tokens.tokens,
      signal,
      ...present({ clock }),
    });
    const translator = new TaskEvents(compiled.tasks, (task) => events.logFile(task));
    for await (const event of execution) {
      onHistory?.(event);
      for (const told of translator.translate(event)) events.emit(told);
      // A reader that is behind holds the machine up, as it does the tasks.
      const room = events.room();
      if (room !== undefined) await room;
    }
    this.#compiled.delete(name);
    return execution.outcome;
  }
}
