import { CONTAINER, LOG_PREFIX } from '../contract/deployed-names.ts';
import { logStream } from '../contract/log-stream.ts';
import type { RunEvent } from '../events/run-event.ts';
import type { Logs } from './logs.ts';

export type TaskOutput = Extract<RunEvent, { type: 'task-output' }>;

/** The lines of one container. Each read continues where the last one ended. */
export class TaskLog {
  readonly #logs: Logs;
  readonly #group: string;
  readonly #stream: string;
  readonly #task: string;
  #next: string | undefined;

  constructor(logs: Logs, group: string, task: string, taskArn: string) {
    this.#logs = logs;
    this.#group = group;
    this.#task = task;
    this.#stream = logStream(taskArn, CONTAINER, LOG_PREFIX);
  }

  /** The next page; undefined at the present end. */
  async read(): Promise<readonly TaskOutput[] | undefined> {
    const { lines, next } = await this.#logs.page(this.#group, this.#stream, this.#next);
    const end = next === undefined || next === this.#next;
    this.#next = next ?? this.#next;
    if (lines.length === 0 && end) return undefined;
    return lines.map(({ time, text }) => ({
      type: 'task-output',
      time: new Date(time).toISOString(),
      task: this.#task,
      text: text.endsWith('\n') ? text : `${text}\n`,
    }));
  }
}
