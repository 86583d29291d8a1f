/** What the process says to its caller; `--help` and docs/cli.md have the same table. */
export const EXIT = { ok: 0, failed: 1, usage: 2, environment: 4, interrupted: 130 } as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

export const EXIT_CODES: readonly (readonly [ExitCode, string])[] = [
  [EXIT.ok, 'success'],
  [EXIT.failed, 'an invalid workflow, or a run that failed'],
  [EXIT.usage, 'an invalid command line'],
  [EXIT.environment, 'something is missing on this machine or on AWS: Python, credentials, a permission'],
  [EXIT.interrupted, 'interrupted (Ctrl-C)'],
];

/** An end whose message explains it to the user: never shown with a stack trace. */
export class CliError extends Error {
  readonly exitCode: ExitCode;
  /** What to do about it, a line each. */
  readonly notes: readonly string[];

  constructor(exitCode: ExitCode, message: string, notes: readonly string[] = [], cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'CliError';
    this.exitCode = exitCode;
    this.notes = notes;
  }
}

export function usageError(message: string, ...notes: string[]): CliError {
  return new CliError(EXIT.usage, message, notes);
}
