import type { Json } from '../../../lib/asl/types.ts';
import { TaskTokens, type TokenListener } from '../../../lib/engine/task-tokens.ts';

/** While a state waits: by the time of this process (performance.now()). */
export interface Life {
  readonly from: number;
  readonly to: number;
}

/** Task tokens of which is known when they lived. */
export class WatchedTokens extends TaskTokens {
  readonly #lives = new Map<string, Life>();

  /** `to` is infinite of a token that still lives. */
  get lives(): ReadonlyMap<string, Life> {
    return this.#lives;
  }

  override issue(listener: TokenListener): string {
    const token = super.issue(listener);
    this.#lives.set(token, { from: performance.now(), to: Number.POSITIVE_INFINITY });
    return token;
  }

  /** The state has ended, or its execution. */
  override close(token: string): void {
    super.close(token);
    this.#dies(token);
  }

  override sendTaskSuccess(token: string, output: Json): void {
    super.sendTaskSuccess(token, output);
    this.#dies(token);
  }

  override sendTaskFailure(token: string, failure: { readonly error?: string; readonly cause?: string } = {}): void {
    super.sendTaskFailure(token, failure);
    this.#dies(token);
  }

  #dies(token: string): void {
    const life = this.#lives.get(token);
    if (life?.to === Number.POSITIVE_INFINITY) this.#lives.set(token, { ...life, to: performance.now() });
  }
}
