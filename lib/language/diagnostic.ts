/**
 * A fault in what a user wrote, as a value: no phase throws for user input; each appends to a list and continues.
 * Offsets become line and column only when printed (lib/cli/render/diagnostics.ts draws the caret).
 */
export type Severity = 'error' | 'warning';

/** A half-open range of UTF-16 offsets in a file; `file` is relative to the project folder, with `/`. */
export interface Span {
  readonly file: string;
  readonly start: number;
  readonly end: number;
}

export interface Diagnostic {
  readonly code: DiagnosticCode;
  readonly severity: Severity;
  /** One sentence without a final period: what is wrong. */
  readonly message: string;
  /** Absent only where no text is at fault (a missing file named on the command line). */
  readonly span?: Span;
  /** What to do about it, each a sentence: "did you mean …", the way out, a second place. */
  readonly notes: readonly string[];
}

/** Stable codes: tests and users' ignore lists name them. docs/diagnostics.md explains each. */
export const DIAGNOSTIC_CODES = [
  'yaml-syntax',
  'yaml-tab',
  'yaml-too-large',
  'yaml-alias-bomb',
  'duplicate-key',
  'root-not-mapping',
  'file-not-found',
  'file-outside-project',
  'file-not-text',
  'include-cycle',
  'include-path',
  'unknown-top-key',
  'unknown-group-key',
  'unknown-operator',
  'unsupported-operator',
  'forgotten-operator',
  'two-operators',
  'task-with-subtasks',
  'task-null',
  'task-not-mapping',
  'task-name',
  'workflow-name',
  'bad-value',
  'missing-key',
  'bad-timezone',
  'bad-schedule',
  'bad-sla',
  'bad-parallel',
  'bad-retry',
  'bad-after',
  'bad-background',
  'bad-env',
  'bad-duration',
  'bad-option',
  'unused-key',
  'call-not-found',
  'call-cycle',
  'require-not-found',
  'expression-syntax',
  'undefined-variable',
  'key-below',
  'template-as-text',
  'secret-not-here',
  'secret-missing',
  'unreachable-task',
  'added-wait',
  'limit-definition',
  'limit-history',
  'limit-payload',
  'limit-name',
  'limit-nesting',
  'deployed-only-here',
  'project-file',
  'python-version',
  'python-requirements',
  'python-not-found',
  'python-syntax',
  'python-argument',
  'python-not-run',
  'python-hidden',
  'python-package',
  'session-value',
  'param-value',
  'task-pattern',
  'aws-not-checked',
  'aws-service-role',
  'aws-quota',
  'aws-mail',
  'aws-unconfirmed',
  'aws-subnets',
] as const;

export type DiagnosticCode = (typeof DIAGNOSTIC_CODES)[number];
