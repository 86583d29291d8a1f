import {
  type CloudWatchLogsClient,
  CreateLogStreamCommand,
  PutLogEventsCommand,
} from '@aws-sdk/client-cloudwatch-logs';
import type { ContainerDefinition } from './ecs-task.ts';

/** CloudWatch Logs of one container: `prefix/container/task-id`. */
export class ContainerLog {
  readonly #client: CloudWatchLogsClient;
  readonly #place: { readonly logGroupName: string; readonly logStreamName: string } | undefined;
  #waiting: { readonly timestamp: number; readonly message: string }[] = [];
  #sending: Promise<void> = Promise.resolve();

  constructor(container: ContainerDefinition, id: string, client: CloudWatchLogsClient) {
    this.#client = client;
    const place = logPlace(container, id);
    this.#place = place && { logGroupName: place.group, logStreamName: place.stream };
  }

  async open(): Promise<void> {
    if (this.#place !== undefined) await this.#client.send(new CreateLogStreamCommand(this.#place));
  }

  add(message: string): void {
    // CloudWatch takes no empty events.
    if (this.#place === undefined || message === '') return;
    this.#waiting.push({ timestamp: Date.now(), message });
    if (this.#waiting.length === 1) this.#sending = this.#sending.then(() => this.#send());
  }

  async flush(): Promise<void> {
    await this.#sending;
  }

  async #send(): Promise<void> {
    const logEvents = this.#waiting;
    this.#waiting = [];
    if (this.#place === undefined || logEvents.length === 0) return;
    // Lines that cannot be sent are lost, as with Docker's driver: the container goes on.
    await this.#client.send(new PutLogEventsCommand({ ...this.#place, logEvents })).catch(() => {});
  }
}

/** Undefined if its lines go nowhere. */
export function logPlace({ LogConfiguration, Name }: ContainerDefinition, id: string) {
  if (LogConfiguration?.LogDriver !== 'awslogs') return undefined;
  const {
    'awslogs-group': group = '',
    'awslogs-stream-prefix': prefix,
    'awslogs-region': region,
  } = LogConfiguration.Options;
  return { group, region, stream: `${prefix}/${Name}/${id}` };
}
