import type { RunAttempt } from './run-attempt.ts';
import type { RunEvents } from './run-events.ts';
import type { RunOptions } from './run-options.ts';
import type { RunSecrets } from './run-secrets.ts';
import type { RunTokens } from './run-tokens.ts';

/** What the parts of a run share. */
export interface RunParts {
  readonly options: RunOptions;
  readonly attempt: RunAttempt;
  readonly secrets: RunSecrets;
  readonly events: RunEvents;
  readonly tokens: RunTokens;
  /** Aborted when the run is to stop. */
  readonly signal: AbortSignal;
  /** With `only`: reports that the resumed attempt has no result of a task. */
  readonly missing: (task: string) => void;
}
