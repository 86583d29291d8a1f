import { randomUUID } from 'node:crypto';
import { present } from '../../asl/present.ts';
import type { Json } from '../../asl/types.ts';
import type { Call, Outcome } from '../../engine/types.ts';

/** Starts a machine by its name in `${sm_NAME}`; undefined if there is none. */
export type RunMachine = (machine: string, execution: ChildExecution) => Promise<Outcome> | undefined;

export interface ChildExecution {
  readonly name: string;
  readonly arn: string;
  readonly input: Json;
  readonly signal: AbortSignal;
  /** Name of the execution that starts it. */
  readonly caller: string;
}

interface Known extends ChildExecution {
  readonly machine: string;
  readonly started: number;
  stopped?: number;
  outcome?: Outcome;
  readonly ended: Promise<Outcome>;
}

type Arguments = { readonly [key: string]: Json };

const ACCOUNT = 'arn:aws:states:local:000000000000';

/**
 * The executions that a run's own machine starts: parts of a split workflow, and workflows that require> names. A name is unique
 * in a run; starting it again with the same input while it runs means waiting for it, as on AWS.
 */
export class Executions {
  readonly #run: RunMachine;
  readonly #taskError: (name: string, cause: string) => Error;
  readonly #known = new Map<string, Known>();

  constructor(run: RunMachine, taskError: (name: string, cause: string) => Error) {
    this.#run = run;
    this.#taskError = taskError;
  }

  /** `states:startExecution.sync:2`: the description with Input and Output as JSON values, or States.TaskFailed with it as Cause. */
  async startAndWait(machine: string, given: Arguments, call: Call): Promise<Json> {
    const name = typeof given.Name === 'string' ? given.Name : randomUUID();
    const input = given.Input ?? {};
    const known = this.#known.get(name);
    if (
      known !== undefined &&
      !(known.outcome === undefined && JSON.stringify(known.input) === JSON.stringify(input))
    ) {
      throw this.#taskError(
        'StepFunctions.ExecutionAlreadyExistsException',
        `Execution Already Exists: '${known.arn}'`,
      );
    }
    const execution = known ?? this.#start(machine, name, input, call);
    const outcome = await execution.ended;
    // Of a name that is nobody's nothing is asked later.
    if (given.Name === undefined) this.#known.delete(name);
    const description = describe(execution);
    if (outcome.status === 'SUCCEEDED') {
      return { ...description, Input: input, Output: outcome.output };
    }
    throw this.#taskError('States.TaskFailed', JSON.stringify({ ...description, Input: JSON.stringify(input) }));
  }

  /** `describeExecution`; undefined for an ARN that is not of this run. */
  describe(given: Arguments): Json | undefined {
    const { ExecutionArn: arn } = given;
    const known = typeof arn === 'string' ? this.#known.get(arn.slice(arn.lastIndexOf(':') + 1)) : undefined;
    if (known === undefined) return undefined;
    const output = known.outcome?.status === 'SUCCEEDED' ? { Output: JSON.stringify(known.outcome.output) } : {};
    return { ...describe(known), Input: JSON.stringify(known.input), ...output };
  }

  #start(machine: string, name: string, input: Json, call: Call): Known {
    const execution = {
      name,
      arn: `${ACCOUNT}:execution:${machine}:${name}`,
      input,
      signal: call.signal,
      caller: call.executionName,
    };
    const ended = this.#run(machine, execution);
    if (ended === undefined) {
      throw this.#taskError('StepFunctions.StateMachineDoesNotExistException', `There is no workflow ${machine}`);
    }
    const known: Known = { ...execution, machine, started: Date.now(), ended };
    this.#known.set(name, known);
    const done = (outcome: Outcome): void => {
      known.outcome = outcome;
      known.stopped = Date.now();
    };
    // Registered before any other reader of `ended`, so that the description is complete for them.
    ended.then(done, () => done({ status: 'ABORTED' }));
    return known;
  }
}

function describe(known: Known): { [key: string]: Json } {
  const { outcome } = known;
  return {
    ExecutionArn: known.arn,
    StateMachineArn: `${ACCOUNT}:stateMachine:${known.machine}`,
    Name: known.name,
    Status: outcome?.status ?? 'RUNNING',
    StartDate: known.started,
    ...present({ StopDate: known.stopped }),
    ...(outcome !== undefined && outcome.status !== 'SUCCEEDED'
      ? {
          ...present({ Error: outcome.error, Cause: outcome.cause }),
        }
      : {}),
  };
}
