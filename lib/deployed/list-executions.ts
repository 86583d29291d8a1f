import { present } from '../asl/present.ts';
import { parsed, textOf } from '../events/history-value.ts';
import type { DeployedWorkflow } from './deployed-project.ts';
import { resumedBy } from './resumed.ts';
import { sessionTimeOf } from './start.ts';
import type { ExecutionEntry, States } from './states.ts';

export interface ListedExecution {
  readonly workflow: string;
  readonly execution: string;
  readonly arn: string;
  readonly status: string;
  /** Undefined where `session` did not answer. */
  readonly session_time?: string;
  /** ISO 8601. */
  readonly started: string;
  readonly ended?: string;
  /** Name of the execution that it continues. */
  readonly resumes?: string;
}

type Asked = Pick<States, 'executions' | 'execution' | 'history'>;

/** The most requests at the same time: the service takes about 20 a second. */
const AT_ONCE = 5;

/** The latest executions of these workflows together, oldest first. */
export async function listExecutions(
  states: Asked,
  workflows: readonly DeployedWorkflow[],
  most: number,
): Promise<readonly ListedExecution[]> {
  const entries: { readonly workflow: string; readonly entry: ExecutionEntry }[] = [];
  for (const { workflow, arn } of workflows) {
    for (const entry of await states.executions(arn, most)) entries.push({ workflow, entry });
  }
  entries.sort((a, b) => a.entry.started - b.entry.started);
  const latest = entries.slice(-most);
  const listed: ListedExecution[] = [];
  for (let i = 0; i < latest.length; i += AT_ONCE) {
    listed.push(
      ...(await Promise.all(
        latest.slice(i, i + AT_ONCE).map(({ workflow, entry }) => listOne(states, workflow, entry)),
      )),
    );
  }
  return listed;
}

async function listOne(states: Asked, workflow: string, entry: ExecutionEntry): Promise<ListedExecution> {
  const input = parsed((await states.execution(entry.arn))?.input);
  const given = textOf(input, 'session_time');
  const whole = given !== undefined && /^\d{4}-\d\d-\d\dT.*(?:Z|[+-]\d\d:\d\d)$/.test(given);
  const session = whole ? given : await sessionTimeOf(states, entry);
  const [resumes] = resumedBy(input);
  return {
    workflow,
    execution: entry.name,
    arn: entry.arn,
    status: entry.status === 'PENDING_REDRIVE' ? 'failed' : entry.status.toLowerCase().replace('_', ' '),
    ...present({ session_time: session }),
    started: new Date(entry.started).toISOString(),
    ...present({ ended: entry.stopped === undefined ? undefined : new Date(entry.stopped).toISOString(), resumes }),
  };
}
