/** Ends an execution, those that it started and still waits for, and the containers of all of them. */
import type { HistoryEvent } from '../engine/history.ts';
import { type Launch, Launches } from './containers.ts';
import { startedExecution } from './execution-events.ts';
import { HistoryReader } from './history-reader.ts';
import type { States } from './states.ts';

export interface Containers {
  /** Ends those of these containers that run; gives how many. */
  stop(launches: readonly Launch[], reason: string): Promise<number>;
}

export interface Killed {
  /** Names are ARNs; the one that was asked for is the first. Those that had ended are not among them. */
  readonly executions: readonly string[];
  readonly containers: number;
}

type Asked = Pick<States, 'stop' | 'history' | 'execution'>;

const REASON = 'Stopped by trowel kill';

/** The outermost first: nothing that ends is started again. A container whose task had succeeded ends by itself. */
export async function killExecution(states: Asked, containers: Containers, arn: string): Promise<Killed> {
  const stopped: string[] = [];
  const launches: Launch[] = [];
  const waiting = [arn];
  const seen = new Set(waiting);
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
    const description = await states.execution(next);
    if (description === undefined) continue;
    if (description.status === 'RUNNING') {
      await states.stop(next, REASON);
      stopped.push(next);
    }
    const found = await readHistory(states, next);
    launches.push(...found.launches.filter(({ succeeded }) => !succeeded));
    for (const child of found.started) if (!seen.has(child)) waiting.push(child);
    for (const child of found.started) seen.add(child);
  }
  return { executions: stopped, containers: await containers.stop(launches, REASON) };
}

async function readHistory(
  states: Pick<States, 'history'>,
  arn: string,
): Promise<{ readonly launches: readonly Launch[]; readonly started: readonly string[] }> {
  const launches = new Launches();
  const started = new Set<string>();
  for await (const page of new HistoryReader(states, arn).read()) {
    for (const event of page) {
      launches.see(event);
      note(started, event);
    }
  }
  return { launches: launches.all, started: [...started] };
}

function note(started: Set<string>, event: HistoryEvent): void {
  const arn = startedExecution(event);
  if (arn !== undefined) started.add(arn);
}
