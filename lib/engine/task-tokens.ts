import { createHmac, randomBytes } from 'node:crypto';
import { LIMITS } from '../asl/limits.ts';
import type { Json } from '../asl/types.ts';
import { sizeOf } from './json.ts';

/**
 * SendTaskSuccess, SendTaskFailure and SendTaskHeartbeat for the executions that share this object. A token is a number and a keyed hash of
 * it. So a token that was issued and has ended differs from one that was never issued, without a list of old tokens.
 */
export class TaskTokens {
  readonly #key = randomBytes(32);
  readonly #open = new Map<string, TokenListener>();
  #issued = 0;

  /** For the engine: a new token, open until `close`. */
  issue(listener: TokenListener): string {
    this.#issued += 1;
    const token = this.#write(this.#issued);
    this.#open.set(token, listener);
    return token;
  }

  close(token: string): void {
    this.#open.delete(token);
  }

  /**
   * Ends the task that waits for this token with a result.
   * @throws TaskTokenError TaskTimedOut, TaskDoesNotExist, InvalidToken, InvalidOutput
   */
  sendTaskSuccess(token: string, output: Json): void {
    const listener = this.#find(token);
    if (output === undefined || sizeOf(output) > LIMITS.payloadBytes) {
      throw new TaskTokenError('InvalidOutput', `The output is no JSON of at most ${LIMITS.payloadBytes} bytes`);
    }
    this.#open.delete(token);
    listener.succeed(output);
  }

  /**
   * Ends the task that waits for this token with an error.
   * @throws TaskTokenError TaskTimedOut, TaskDoesNotExist, InvalidToken, ValidationException
   */
  sendTaskFailure(token: string, failure: { readonly error?: string; readonly cause?: string } = {}): void {
    const listener = this.#find(token);
    for (const [field, limit] of [
      ['error', LIMITS.errorChars],
      ['cause', LIMITS.causeChars],
    ] as const) {
      if ((failure[field] ?? '').length > limit) {
        throw new TaskTokenError('ValidationException', `The ${field} is longer than ${limit} characters`);
      }
    }
    this.#open.delete(token);
    listener.fail(failure);
  }

  /**
   * Reports that the task still works; HeartbeatSeconds counts from here again.
   * @throws TaskTokenError TaskTimedOut, TaskDoesNotExist, InvalidToken
   */
  sendTaskHeartbeat(token: string): void {
    this.#find(token).heartbeat();
  }

  #find(token: string): TokenListener {
    const listener = this.#open.get(token);
    if (listener !== undefined) return listener;
    const number = typeof token === 'string' ? /^trowel-(\d{1,15})-[\w-]{43}$/.exec(token)?.[1] : undefined;
    if (number === undefined) throw new TaskTokenError('InvalidToken', "Invalid Token: 'Invalid token'");
    throw this.#write(Number(number)) === token && Number(number) <= this.#issued
      ? new TaskTokenError('TaskTimedOut', "Task Timed Out: 'Provided task does not exist anymore'")
      : new TaskTokenError('TaskDoesNotExist', 'Task does not exist');
  }

  #write(number: number): string {
    return `trowel-${number}-${createHmac('sha256', this.#key).update(String(number)).digest('base64url')}`;
  }
}

export interface TokenListener {
  succeed(output: Json): void;
  fail(failure: { readonly error?: string; readonly cause?: string }): void;
  heartbeat(): void;
}

export type TaskTokenErrorName =
  | 'TaskTimedOut'
  | 'TaskDoesNotExist'
  | 'InvalidToken'
  | 'InvalidOutput'
  | 'ValidationException';

export class TaskTokenError extends Error {
  override readonly name: TaskTokenErrorName;

  constructor(name: TaskTokenErrorName, message: string) {
    super(message);
    this.name = name;
  }
}
