/** Ends an execution, those that it started and still waits for, and the containers of all of them. */
import { AwsFault } from './aws-fault.ts';
import { type Launch, Launches } from './containers.ts';
import { startedExecution } from './execution-events.ts';
import { HistoryReader } from './history-reader.ts';
import type { States } from './states.ts';

export interface Containers {
  /** Ends those of the containers that are running, and gives their number. */
  stop(launches: readonly Launch[], reason: string): Promise<number>;
}

export interface Killed {
  /** ARNs, the outermost first. Those that had ended are not among them. */
  readonly executions: readonly string[];
  readonly containers: number;
  /** Why containers were not stopped, or not all. They end by themselves when their next heartbeat is refused. */
  readonly fault?: AwsFault;
}

type Asked = Pick<States, 'stop' | 'history' | 'execution'>;

const REASON = 'Stopped by trowel kill';

/**
 * The outermost first: nothing that ends is started again. A second look finds what was started in the meantime, and what Step
 * Functions itself has ended with its parent counts as ended by this. A container whose task had succeeded ends by itself.
 */
export async function killExecution(states: Asked, containers: Containers, arn: string): Promise<Killed> {
  const before = await survey(states, arn);
  for (const each of before.running) await states.stop(each, REASON);
  const after = await survey(states, arn);
  for (const each of after.running) await states.stop(each, REASON);
  const executions = [...new Set([...before.running, ...after.running])];
  const lost = after.launches.filter(({ succeeded }) => !succeeded);
  try {
    return { executions, containers: await containers.stop(lost, REASON) };
  } catch (error) {
    if (error instanceof AwsFault) return { executions, containers: 0, fault: error };
    throw error;
  }
}

interface Survey {
  /** ARNs, outermost first. */
  readonly running: readonly string[];
  readonly launches: readonly Launch[];
}

/** An execution and those that it started, directly or not. */
async function survey(states: Omit<Asked, 'stop'>, arn: string): Promise<Survey> {
  const running: string[] = [];
  const launches = new Map<string, Launches>();
  const waiting = [arn];
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
    const description = launches.has(next) ? undefined : await states.execution(next);
    if (description === undefined) continue;
    if (description.status === 'RUNNING') running.push(next);
    const found = new Launches();
    launches.set(next, found);
    for await (const page of new HistoryReader(states, next).read()) {
      for (const event of page) {
        found.see(event);
        const child = startedExecution(event);
        if (child !== undefined) waiting.push(child);
      }
    }
  }
  return { running, launches: [...launches.values()].flatMap(({ all }) => all) };
}
