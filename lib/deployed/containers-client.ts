import { DescribeTasksCommand, ECSClient, ListTasksCommand, StopTaskCommand, type Task } from '@aws-sdk/client-ecs';
import { asking, isAbsent } from './aws-fault.ts';
import { type Connection, clientOptions } from './connection.ts';
import type { Launch } from './containers.ts';
import type { Containers } from './kill.ts';

/** Tasks of one DescribeTasks. */
const TOGETHER = 100;

export function connectContainers(connection: Connection): Containers {
  return new ContainersClient(new ECSClient(clientOptions(connection)));
}

class ContainersClient implements Containers {
  readonly #client: ECSClient;

  constructor(client: ECSClient) {
    this.#client = client;
  }

  async stop(launches: readonly Launch[], reason: string): Promise<number> {
    const known = launches.flatMap(({ taskArn }) => taskArn ?? []);
    const clusters = new Set(known.map(clusterOf));
    // One that was just started may not be in the history yet. Where none is known, its cluster is not either: it ends before its task
    // begins, when its first heartbeat is refused.
    const unknown = launches.filter(({ taskArn }) => taskArn === undefined).flatMap(({ startedBy }) => startedBy ?? []);
    const more = (
      await Promise.all([...clusters].flatMap((cluster) => unknown.map((by) => this.#startedBy(cluster, by))))
    ).flat();
    let stopped = 0;
    for (const cluster of clusters) {
      const arns = [...known, ...more].filter((arn) => clusterOf(arn) === cluster);
      for (const arn of await this.#running(cluster, arns)) {
        await asking('ecs:StopTask', () => this.#client.send(new StopTaskCommand({ cluster, task: arn, reason })));
        stopped += 1;
      }
    }
    return stopped;
  }

  async #startedBy(cluster: string, startedBy: string): Promise<readonly string[]> {
    const { taskArns = [] } = await asking('ecs:ListTasks', () =>
      this.#client.send(new ListTasksCommand({ cluster, startedBy })),
    );
    return taskArns;
  }

  /** Those that were not asked to stop yet. ECS forgets a task an hour after its end. */
  async #running(cluster: string, arns: readonly string[]): Promise<readonly string[]> {
    const running: string[] = [];
    for (let i = 0; i < arns.length; i += TOGETHER) {
      const tasks = arns.slice(i, i + TOGETHER);
      const request = new DescribeTasksCommand({ cluster, tasks });
      const found = await asking('ecs:DescribeTasks', () => this.#client.send(request)).catch((error: unknown) => {
        if (isAbsent(error)) return { tasks: [] as Task[] };
        throw error;
      });
      running.push(
        ...(found.tasks ?? []).flatMap((task) => (task.desiredStatus === 'STOPPED' ? [] : (task.taskArn ?? []))),
      );
    }
    return running;
  }
}

/** `arn:aws:ecs:eu-west-1:1:task/CLUSTER/ID` */
function clusterOf(taskArn: string): string {
  return taskArn.split('/').at(-2) ?? 'default';
}
