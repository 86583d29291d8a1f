import type { FaultKind } from '../language/request-fault.ts';

/** What the process says to its caller; `--help` and docs/cli.md have the same table. */
export const EXIT = { ok: 0, failed: 1, usage: 2, environment: 4, interrupted: 130 } as const satisfies {
  readonly [kind in FaultKind | 'ok']: number;
};

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

export const EXIT_CODES: readonly (readonly [ExitCode, string])[] = [
  [EXIT.ok, 'success'],
  [EXIT.failed, 'an invalid workflow, or a run that failed'],
  [EXIT.usage, 'an invalid command line'],
  [EXIT.environment, 'something is missing on this machine or on AWS: Python, credentials, a permission'],
  [EXIT.interrupted, 'interrupted (Ctrl-C)'],
];
