import { setTimeout as delay } from 'node:timers/promises';
import { NoResponse } from './no-response.ts';
import { type Request, type Response, send } from './send.ts';

/** Waits as digdag's: 1 s, doubled to 30 s. digdag goes on for ever; a function may not, so tries are counted. */
export interface Patience {
  readonly tries: number;
  /** Seconds. */
  readonly first: number;
  readonly max: number;
}

export const PATIENCE: Patience = { tries: 8, first: 1, max: 30 };

export type Sleep = (seconds: number, signal?: AbortSignal) => Promise<void>;

export const sleep: Sleep = async (seconds, signal) => {
  await delay(seconds * 1000, undefined, signal ? { signal } : undefined);
};

export interface Attempts {
  readonly patience?: Patience;
  readonly sleep?: Sleep;
  /** Told of each failed try that another follows; seconds until then. */
  readonly again?: (reason: string, seconds: number) => void;
}

/**
 * Sends until the answer is final. 408 and 429 are always tried again, for the server did not act on the request; other failures
 * that may pass (5xx, no response) only if `repeatable`. Throws NoResponse of the last try.
 */
export async function deliver(request: Request, repeatable: boolean, options: Attempts = {}): Promise<Response> {
  const patience = options.patience ?? PATIENCE;
  for (let tried = 1; ; tried++) {
    let outcome: Response | NoResponse;
    try {
      outcome = await send(request);
    } catch (error) {
      if (!(error instanceof NoResponse)) throw error;
      outcome = error;
    }
    if (tried >= patience.tries || !mayPass(outcome, repeatable)) {
      if (outcome instanceof NoResponse) throw outcome;
      return outcome;
    }
    const backOff = Math.min(patience.first * 2 ** (tried - 1), patience.max);
    const asked = outcome instanceof NoResponse ? 0 : Math.min(outcome.retryAfter ?? 0, 2 * patience.max);
    const seconds = Math.max(backOff, asked);
    options.again?.(outcome instanceof NoResponse ? outcome.message : `status ${outcome.status}`, seconds);
    await (options.sleep ?? sleep)(seconds, request.signal).catch(() => undefined);
  }
}

/** What another try cannot change. */
const FINAL = /^(ABORTED|REDIRECTS|REFUSED|UND_ERR_INVALID_ARG|.*CERT.*|UNABLE_TO_VERIFY.*)$/;

function mayPass(outcome: Response | NoResponse, repeatable: boolean): boolean {
  if (outcome instanceof NoResponse) return repeatable && !FINAL.test(outcome.code);
  if (outcome.status === 408 || outcome.status === 429) return true;
  return repeatable && outcome.status >= 500;
}
