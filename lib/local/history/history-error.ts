/** The history cannot be written: no right to, no space left. The message names the place and the reason. */
export class HistoryError extends Error {
  override readonly name = 'HistoryError';

  constructor(place: string, cause: unknown) {
    super(`The history cannot be written to ${place}: ${reasonOf(cause)}`, { cause });
  }
}

/** `ENOSPC: no space left on device, write` → `no space left on device`. */
function reasonOf(error: unknown): string {
  const { message } = error instanceof Error ? error : new Error(String(error));
  return /^E[A-Z0-9]+: ([^,]+)/.exec(message)?.[1] ?? message;
}
