/**
 * `--dry-run`: the machine runs and everything is evaluated, but no task acts: each succeeds at once and stores nothing. What would need
 * a run to be known is unknown (unknowns.ts), and nothing fails: fail> shows its text, and no `_error` is there.
 */

import { isMapping } from '../asl/json.ts';
import { present } from '../asl/present.ts';
import type { Processor, State, StateMachine } from '../asl/types.ts';
import type { Compiled } from '../compiler/compile.ts';
import { mapValues } from '../contract/merge.ts';
import type { Payload, StoreResult } from '../contract/payload.ts';
import { merged } from '../contract/stores.ts';
import type { RenderRequest, RenderResult } from '../expression/render.ts';
import type { LoopOver } from '../language/operators/spec.ts';
import { kindOf, loopOver } from '../language/operators.ts';
import type { Group, Mapping, Node, Workflow } from '../language/workflow.ts';
import { isUnknown } from './unknowns.ts';
import { PythonHost } from './workers/python-host.ts';
import type { Start } from './workers/worker.ts';
import { WorkerPool } from './workers/worker-pool.ts';

class IdlePool extends WorkerPool {
  onSkip: () => void = () => {};

  override async run({ assignment }: Start): ReturnType<WorkerPool['run']> {
    this.onSkip();
    const { merge, layers } = assignment;
    const stores = merge === undefined ? { stored: {} } : { s: layers.reduce(merged, {}) };
    return { result: { ok: true, ...stores }, seconds: 0 };
  }
}

/** Python is not even looked for. */
export class IdlePython extends PythonHost {
  /** Told of each task that is not run. */
  onSkip: () => void = () => {};

  override warm(): void {}

  override async pool(): Promise<WorkerPool> {
    const pool = new IdlePool({ python: [], packageFolder: '', cwd: '' });
    pool.onSkip = () => this.onSkip();
    return pool;
  }
}

/** Begins the text of a fail>, which is an echo> in a dry run. */
const FAILS = 'would fail: ';

/** What a task would print, in place of its output. */
export function wouldPrint(task: string, text: string): string {
  const said = text.trimEnd();
  return `${task} ${said.startsWith(FAILS) ? said : `would print: ${said}`}`;
}

/** The workflow without what follows a failure: no `_error`, no `_retry` that is written out, fail> as an echo>. */
export function withoutFailures(workflow: Workflow): Workflow {
  return { ...workflow, root: harmless(workflow.root) as Group };
}

function harmless(node: Node): Node {
  const { error: _, check, retry, ...others } = node.directives;
  const directives = {
    ...others,
    ...present({ check: check !== undefined ? harmless(check) : undefined }),
    ...(retry?.kind === 'expression' && { retry }),
  };
  if (node.kind === 'group') return { ...node, directives, children: node.children.map(harmless) };
  const bodies = {
    ...present({
      body: node.body !== undefined ? harmless(node.body) : undefined,
      elseBody: node.elseBody !== undefined ? harmless(node.elseBody) : undefined,
    }),
  };
  if (kindOf(node.operator) !== 'failure') return { ...node, ...bodies, directives };
  const { [`${node.operator}>`]: __, _type: ___, _command: ____, ...keys } = node.keys;
  const command = `${FAILS}${typeof node.command === 'string' ? node.command : JSON.stringify(node.command ?? '')}`;
  return { ...node, ...bodies, directives, operator: 'echo', command, keys: { ...keys, 'echo>': command } };
}

/**
 * `evaluate` where a value may be unknown: an if> goes into its `_do`, a loop repeats once, a wait is over, call> takes the first file.
 * Everything else of the task is evaluated before, so that it is only read here.
 */
export async function evaluateUnknown(
  payload: Payload,
  render: (request: RenderRequest) => Promise<RenderResult>,
  evaluate: (payload: Payload) => Promise<unknown>,
): Promise<unknown> {
  const { op, c } = payload;
  const rendered = await renderTask(payload, render);
  const keys = { ...rendered.keys };
  const { seen: _, ...rest } = payload as Payload & { seen?: unknown };
  const again = (): Promise<unknown> => evaluate({ ...rest, l: [], k: keys });
  const place = keys._command === undefined ? `${op}>` : '_command';
  const command = keys[place];
  if (isUnknown(keys._parallel)) keys._parallel = false;
  if (!isUnknown(command) && !(kindOf(op) !== 'print' && isUnknown(keys))) return again();
  if (op === 'retry') return { limit: 0, interval: 0, exponential: false };
  switch (kindOf(op)) {
    case 'print':
      return again();
    case 'condition':
      return { v: true };
    case 'pause':
      return { seconds: 0 };
    case 'inline': {
      if (!isUnknown(command)) return again();
      const file = c?.files.find((each) => !c.chain.includes(each));
      if (file === undefined) throw new Error('call> has nothing to call: the project has no other workflow file.');
      return { file };
    }
    case 'repeat':
      repeatOnce(loopOver(op), keys, place);
      return again();
    default:
      // Of require> and s3_wait>: what is left out has a default, or is not asked for here.
      for (const [key, value] of Object.entries(keys)) if (key !== place && isUnknown(value)) delete keys[key];
      return again();
  }
}

/** Leaves one round of a loop where its number is not known. */
function repeatOnce(over: LoopOver | undefined, keys: Mapping, place: string): void {
  const command = keys[place];
  switch (over) {
    case 'lists':
      keys[place] = isMapping(command)
        ? mapValues(command, (list) => (typeof list === 'string' && isUnknown(list) ? [list] : list))
        : {};
      return;
    case 'range':
      keys[place] = { from: 0, to: 1, step: 1 };
      return;
    default:
      for (const key of ['count', place]) if (isUnknown(keys[key])) keys[key] = 1;
  }
}

/** In place of http>, mail>, slack>, notify>: evaluates and answers that nothing was stored. Throws what cannot be evaluated. */
export async function withoutEffects(
  payload: Payload,
  render: (request: RenderRequest) => Promise<RenderResult>,
): Promise<StoreResult> {
  await renderTask(payload, render);
  const { storeResult } = await import('../contract/stores.ts');
  return storeResult(payload, {});
}

/** The task's keys, evaluated. Throws what cannot be evaluated. */
async function renderTask(payload: Payload, render: (request: RenderRequest) => Promise<RenderResult>) {
  const rendered = await render({
    layers: payload.seen ?? payload.l,
    builtins: payload.b.vars,
    task: payload.t,
    keys: payload.k,
  });
  if (!rendered.ok) throw Object.assign(new Error(rendered.error.message), { name: rendered.error.name });
  return rendered;
}

/** wait> and the pauses of group retries take no time. */
export function withoutWaits(compiled: Compiled): Compiled {
  const nested = Object.entries(compiled.nested).map(([name, machine]) => [name, hasty(machine)] as const);
  return { ...compiled, machine: hasty(compiled.machine), nested: Object.fromEntries(nested) };
}

function hasty<T extends StateMachine | Processor>(machine: T): T {
  const states = Object.entries(machine.States).map(([name, state]) => [name, hastyState(state)] as const);
  return { ...machine, States: Object.fromEntries(states) };
}

function hastyState(state: State): State {
  switch (state.Type) {
    case 'Wait': {
      const { Timestamp: _, ...rest } = state;
      return { ...rest, Seconds: 0 };
    }
    case 'Parallel':
      return { ...state, Branches: state.Branches.map(hasty) };
    case 'Map':
      return { ...state, ItemProcessor: hasty(state.ItemProcessor) };
    default:
      return state;
  }
}
