/**
 * Compiles a workflow and runs its machine with tasks played in this process: `py>: t.NAME` with the few functions below. What is
 * looked at is what a task sees (exports, stores, `error`), in order, and how the run ends.
 */
import { createHash } from 'node:crypto';
import type { Json, StateMachine } from '../../../lib/asl/types.ts';
import { type Compiled, type CompileOptions, type CompileResult, compile } from '../../../lib/compiler/compile.ts';
import { ERRORS, TrowelError } from '../../../lib/contract/errors.ts';
import { fitted } from '../../../lib/contract/fit.ts';
import type { LaunchPayload, Layer, Payload, SessionPayload } from '../../../lib/contract/payload.ts';
import { merged, storeResult } from '../../../lib/contract/stores.ts';
import { opened, type ValueFiles, valuesIn } from '../../../lib/contract/values.ts';
import { VirtualClock } from '../../../lib/engine/clock.ts';
import { TaskError } from '../../../lib/engine/errors.ts';
import { execute } from '../../../lib/engine/execution.ts';
import type { HistoryEvent } from '../../../lib/engine/history.ts';
import { TaskTokens } from '../../../lib/engine/task-tokens.ts';
import type { Call, Outcome } from '../../../lib/engine/types.ts';
import { render } from '../../../lib/expression/render.ts';
import { evaluate } from '../../../lib/functions/evaluate/core.ts';
import { session } from '../../../lib/functions/session/core.ts';
import { parseWorkflow } from '../../../lib/language/dig/parse-workflow.ts';
import { kindOf } from '../../../lib/language/operators.ts';
import { isReference } from '../../../lib/language/value-form.ts';
import type { Mapping, Value, Workflow } from '../../../lib/language/workflow.ts';

export interface Played {
  readonly outcome: Outcome;
  /** A line a task that ran: its full name, and what it was asked to show. */
  readonly seen: readonly string[];
  readonly events: number;
  /** Of the execution that has most. */
  readonly longest: number;
  /** Bytes of the largest state's input, output or Assign, if they were measured. */
  readonly largest: number;
  /** Virtual seconds. */
  readonly seconds: number;
}

export function workflowsOf(files: { readonly [file: string]: string }): Map<string, Workflow> {
  const workflows = new Map<string, Workflow>();
  for (const [file, text] of Object.entries(files)) {
    const name = file.replace(/\.dig$/, '');
    const { workflow, diagnostics } = parseWorkflow(name, file, text);
    const errors = diagnostics.filter((diagnostic) => diagnostic.severity === 'error');
    if (workflow === undefined || errors.length > 0) throw new Error(JSON.stringify(errors));
    workflows.set(name, workflow);
  }
  return workflows;
}

type Options = Omit<CompileOptions, 'workflows'>;

export function compileText(
  text: string,
  others: { readonly [file: string]: string } = {},
  options: Options = {},
): CompileResult {
  const workflows = workflowsOf({ 'main.dig': text, ...others });
  return compile(workflows.get('main')!, { workflows, ...options });
}

export function compiledText(
  text: string,
  others: { readonly [file: string]: string } = {},
  options: Options = {},
): Compiled {
  const { compiled, diagnostics } = compileText(text, others, options);
  if (compiled === undefined) throw new Error(JSON.stringify(diagnostics));
  return compiled;
}

export async function play(
  text: string,
  options: { readonly others?: { readonly [file: string]: string }; readonly params?: Mapping } = {},
): Promise<Played> {
  return playCompiled(compiledText(text, options.others), options.params ?? {});
}

export async function playCompiled(compiled: Compiled, params: Mapping, measured = false): Promise<Played> {
  return new Player(compiled, measured).run(params);
}

/**
 * t.store: stores `data`. t.see: shows the parameters named in `show` (default: all but built-ins). t.boom: fails with `msg`.
 * t.flaky: fails its first `fails` runs, then stores `data`. t.fill: stores a text (`filled`). t.sum: shows the sha256 of what t.see would show.
 */
class Player {
  readonly #compiled: Compiled;
  readonly #measured: boolean;
  readonly #seen: string[] = [];
  readonly #runs = new Map<string, number>();
  readonly #clock = new VirtualClock();
  readonly #tokens = new TaskTokens();
  readonly #values = valuesIn(memoryFiles(), ['']);
  #events = 0;
  #longest = 0;
  #largest = 0;

  constructor(compiled: Compiled, measured: boolean) {
    this.#compiled = compiled;
    this.#measured = measured;
  }

  async run(params: Mapping): Promise<Played> {
    const start = this.#clock.now();
    const outcome = await this.#execute(this.#compiled.machine, { params } as Json);
    const seconds = Math.round((this.#clock.now() - start) / 1000);
    return { outcome, seen: this.#seen, events: this.#events, longest: this.#longest, largest: this.#largest, seconds };
  }

  async #execute(machine: StateMachine, input: Json): Promise<Outcome> {
    const execution = execute(machine, {
      input,
      invoke: (call) => this.#invoke(call),
      tokens: this.#tokens,
      clock: this.#clock,
      random: () => 0.5,
      historyLimit: true,
    });
    let events = 0;
    for await (const event of execution) {
      events += 1;
      if (this.#measured) this.#largest = Math.max(this.#largest, bytesOf(event));
      if (event.type === 'PassStateExited') this.#passed(event.stateExitedEventDetails?.output);
    }
    this.#events += events;
    this.#longest = Math.max(this.#longest, events);
    return execution.outcome;
  }

  #passed(output: unknown): void {
    const { t, echo, fail } = (output ?? {}) as { t?: string; echo?: string; fail?: string };
    if (echo !== undefined) this.#seen.push(`${t} echo ${echo}`);
    if (fail !== undefined) this.#seen.push(`${t} fail ${fail}`);
  }

  async #invoke(call: Call): Promise<Json> {
    const given = call.arguments as { FunctionName?: string; StateMachineArn?: string; Payload?: Json; Input?: Json };
    if (call.resource.startsWith('arn:aws:states:::states:startExecution')) return this.#start(given);
    const name = /^\$\{(\w+)\}$/.exec(given.FunctionName ?? '')?.[1];
    try {
      switch (name) {
        case 'session':
          return answered(await this.#clock.during(session(given.Payload as unknown as SessionPayload)));
        case 'evaluate': {
          const payload = given.Payload as unknown as Payload;
          const result = await this.#clock.during(evaluate(payload, this.#values));
          if (kindOf(payload.op) === 'print') this.#seen.push(`${payload.t} echo ${(result as { text: string }).text}`);
          return answered(result);
        }
        case 'launch':
          await this.#launch(given.Payload as unknown as LaunchPayload);
          return {};
        default:
          throw new Error(`no function ${given.FunctionName}`);
      }
    } catch (error) {
      if (!(error instanceof TrowelError)) throw error;
      const payload = given.Payload as unknown as Payload;
      if (name === 'evaluate' && kindOf(payload.op) === 'failure' && error.name === ERRORS.taskFailed)
        this.#seen.push(`${payload.t} fail ${error.message}`);
      throw new TaskError(error.name, JSON.stringify({ errorType: error.name, errorMessage: error.message }));
    }
  }

  async #opened(layer: Layer): Promise<Layer> {
    return Array.isArray(layer) ? layer : ((await this.#whole(layer)) as Mapping);
  }

  /** Without marks of what is kept in files, or still to be merged. */
  async #whole(value: Value): Promise<Value> {
    if (isReference(value)) return this.#whole(await this.#values.read(value));
    if (Array.isArray(value)) return Promise.all(value.map((item) => this.#whole(item)));
    if (!isMapping(value)) return value;
    const all = (await opened(value, this.#values)).reduce(merged, {});
    const items = Object.entries(all).map(async ([key, item]) => [key, await this.#whole(item)] as const);
    return Object.fromEntries(await Promise.all(items));
  }

  async #start(given: { StateMachineArn?: string; Input?: Json }): Promise<Json> {
    const name = /^\$\{sm_([^}]+)\}$/.exec(given.StateMachineArn ?? '')?.[1] ?? '';
    const outcome = await this.#execute(this.#compiled.nested[name]!, given.Input ?? {});
    if (outcome.status !== 'SUCCEEDED') throw new TaskError('States.TaskFailed', JSON.stringify(outcome));
    return { Output: outcome.output, Status: 'SUCCEEDED' };
  }

  async #launch(payload: LaunchPayload): Promise<void> {
    const l = await this.#clock.during(Promise.all(payload.l.map((layer) => this.#opened(layer))));
    const request = { layers: l, builtins: payload.b.vars, task: payload.t, keys: payload.k };
    const rendered = await this.#clock.during(render(request));
    if (!rendered.ok) throw new TrowelError(rendered.error.name, rendered.error.message);
    const { params, keys } = rendered;
    const command = keys[`${payload.op}>`];
    const fail = (message: string): void =>
      this.#tokens.sendTaskFailure(payload.token, { error: 'Trowel.TaskFailed', cause: JSON.stringify({ message }) });
    const stored = async (data: Mapping): Promise<void> => {
      const answer = await this.#clock.during(fitted(payload, storeResult(payload, data), this.#values));
      this.#tokens.sendTaskSuccess(payload.token, answer as Json);
    };
    const run = (this.#runs.get(payload.t) ?? 0) + 1;
    this.#runs.set(payload.t, run);
    const show =
      (keys.show as string[] | undefined)?.filter((key) => command !== 't.sum' || key in params) ??
      Object.keys(params).filter((key) => !(key in payload.b.vars) && key !== 'task_name' && !(key in keys));
    const shown = show.map((key) => `${key}=${textOf(shownOf(key, params[key]))}`).join(' ');
    switch (command) {
      case 't.store':
        this.#seen.push(payload.t);
        return stored((keys.data ?? {}) as Mapping);
      case 't.see':
        this.#seen.push(`${payload.t} ${shown}`.trimEnd());
        return stored({});
      case 't.fill':
        return stored(filled(keys));
      case 't.sum':
        this.#seen.push(`${payload.t} ${createHash('sha256').update(shown).digest('hex')}`);
        return stored({});
      case 't.boom':
        this.#seen.push(`${payload.t} !`);
        return fail(String(keys.msg ?? 'boom'));
      case 't.flaky':
        this.#seen.push(`${payload.t} #${run}`);
        return run <= Number(keys.fails) ? fail(`run ${run}`) : stored((keys.data ?? {}) as Mapping);
      default:
        throw new Error(`no function ${String(command)}`);
    }
  }
}

/** Files of values in memory. */
function memoryFiles(): ValueFiles {
  const files = new Map<string, Buffer>();
  return {
    read: async (_root, name) => files.get(name),
    write: async (_root, name, content) => void files.set(name, content),
  };
}

function answered(payload: unknown): Json {
  return { StatusCode: 200, Payload: JSON.parse(JSON.stringify(payload)) as Json };
}

/** Of an error the message: what else is there, render.test.ts tells. */
function shownOf(key: string, value: Value | undefined): Value | undefined {
  return key === 'error' && isMapping(value) ? { message: value.message ?? null } : value;
}

function textOf(value: Value | undefined): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** `size` characters at the path of `keys`. */
export function filled(keys: Mapping): Mapping {
  const text = String(keys.seed)
    .repeat(Math.ceil(Number(keys.size) / String(keys.seed).length))
    .slice(0, Number(keys.size));
  return (keys.path as string[]).reduceRight<Value>((inner, name) => ({ [name]: inner }), text) as Mapping;
}

/** Of what a state was given, gave and kept. */
function bytesOf({ stateEnteredEventDetails: entered, stateExitedEventDetails: exited }: HistoryEvent): number {
  const kept = Object.values(exited?.assignedVariables ?? {}).reduce<number>((sum, value) => sum + size(value), 0);
  return Math.max(size(entered?.input), size(exited?.output), kept);
}

function size(value: unknown): number {
  return value === undefined ? 0 : Buffer.byteLength(JSON.stringify(value));
}

function isMapping(value: Value | Layer | undefined): value is Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
