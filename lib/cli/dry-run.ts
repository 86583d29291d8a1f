/** `--dry-run`: the machine runs and everything is evaluated, but no task acts: each succeeds at once and stores nothing. */

import type { Processor, State, StateMachine } from '../asl/types.ts';
import type { Compiled } from '../compiler/compile.ts';
import type { RenderRequest, RenderResult } from '../expression/render.ts';
import { merged } from '../expression/stores.ts';
import type { Payload, StoreResult } from '../expression/wire.ts';
import { PythonHost } from '../local/python-host.ts';
import type { Start } from '../local/worker.ts';
import { WorkerPool } from '../local/worker-pool.ts';

class IdlePool extends WorkerPool {
  override async run({ assignment }: Start): ReturnType<WorkerPool['run']> {
    const { merge, layers } = assignment;
    const stores = merge === undefined ? { stored: {} } : { s: layers.reduce(merged, {}) };
    return { result: { ok: true, ...stores }, seconds: 0 };
  }
}

/** Python is not even looked for. */
export class IdlePython extends PythonHost {
  override warm(): void {}

  override async pool(): Promise<WorkerPool> {
    return new IdlePool({ python: [], packageFolder: '', cwd: '' });
  }
}

/** In place of http>, mail>, slack>, notify>: evaluates and answers that nothing was stored. Throws what cannot be evaluated. */
export async function withoutEffects(
  payload: Payload,
  render: (request: RenderRequest) => Promise<RenderResult>,
): Promise<StoreResult> {
  const rendered = await render({
    layers: payload.seen ?? payload.l,
    builtins: payload.b.vars,
    task: payload.t,
    keys: payload.k,
  });
  if (!rendered.ok) throw Object.assign(new Error(rendered.error.message), { name: rendered.error.name });
  const { storeResult } = await import('../expression/stores.ts');
  return storeResult(payload, {});
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
