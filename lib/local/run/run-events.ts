import type { Report } from '../../contract/report.ts';
import { EventQueue } from '../../events/event-queue.ts';
import type { RunEvent } from '../../events/run-event.ts';
import { HistoryError } from '../history/history-error.ts';
import type { RunAttempt } from './run-attempt.ts';
import type { RunSecrets } from './run-secrets.ts';

/** The events of a run on their way to whoever shows it: masked, and on disk before they are seen. */
export class RunEvents implements AsyncIterable<RunEvent> {
  readonly #attempt: RunAttempt;
  readonly #secrets: RunSecrets;
  readonly #onBroken: () => void;
  readonly #queue = new EventQueue();
  #broken: HistoryError | undefined;
  #over = false;

  /** @param onBroken ends the run: the history cannot be written, and its tasks would have to be done again */
  constructor(attempt: RunAttempt, secrets: RunSecrets, onBroken: () => void) {
    this.#attempt = attempt;
    this.#secrets = secrets;
    this.#onBroken = onBroken;
  }

  [Symbol.asyncIterator](): AsyncIterator<RunEvent> {
    return this.#queue[Symbol.asyncIterator]();
  }

  /** Why the history could not be written. */
  get broken(): HistoryError | undefined {
    return this.#broken;
  }

  emit(event: RunEvent): void {
    // What comes too late, from a request that nobody waits for, is lost.
    if (this.#over) return;
    const masked = this.#secrets.masker.maskAll(event);
    this.write(() => this.#attempt.record.append(masked));
    this.#queue.push(masked);
  }

  /** Shows the readers something, e.g. how an environment is being made. */
  notice(message: string): void {
    this.emit({ type: 'notice', time: now(), message });
  }

  /** Output of a task. A promise: the readers are behind, and the task has to wait for it. */
  print(task: string, text: string): Promise<void> | undefined {
    if (text !== '') this.emit({ type: 'task-output', time: now(), task, text });
    return this.room();
  }

  /** What a task reports; as `print`. */
  report(task: string, report: Report): Promise<void> | undefined {
    this.emit({ type: 'task-report', time: now(), task, ...report });
    return this.room();
  }

  /** Undefined if there is room for more events; else resolves when there is. */
  room(): Promise<void> | undefined {
    return this.#queue.room();
  }

  /** Where the output of a task is, if it has printed something that remains. */
  logFile(task: string): string | undefined {
    // As the events that its output came by.
    const name = this.#secrets.masker.mask(task);
    return this.#attempt.kept ? this.#attempt.record.logFileIfAny(name) : undefined;
  }

  /** Writes to the history. After a first failure nothing more is written. */
  write(write: () => void): void {
    if (this.#broken !== undefined) return;
    try {
      write();
    } catch (error) {
      this.#broken = new HistoryError(this.#attempt.root, error);
      const { message } = this.#broken;
      this.#queue.push({ type: 'notice', time: now(), message: `${message}. The run ends` });
      this.#onBroken();
    }
  }

  /** The last event. */
  end(event: RunEvent & { type: 'run-ended' }): void {
    this.emit(event);
    this.#over = true;
  }

  close(): void {
    this.#queue.close();
  }
}

function now(): string {
  return new Date().toISOString();
}
