import type { Json } from '../asl/json.ts';
import type { Span } from './diagnostic.ts';

/**
 * The typed tree of a .dig file, after includes and validation. Values are plain JSON with digdag's YAML typing; a text in
 * it is a template unless said otherwise. Every node keeps its span.
 */
export type Value = Json;
/** A mapping that can still be filled. */
export type Mapping = { [key: string]: Json };

export interface Workflow {
  /** Path without `.dig`, relative to the project, e.g. `main` or `sub/part`. */
  readonly name: string;
  readonly file: string;
  readonly timezone?: string;
  readonly schedule?: Schedule;
  readonly sla?: Sla;
  /** The root group; its `name` is `+<workflow>`. */
  readonly root: Group;
}

export type Node = Group | Task;

/** Directives that any node may have. */
export interface Directives {
  /** `_export` as written, or absent. */
  readonly export?: Mapping;
  /** `_env` as written; the compiler merges those of enclosing levels under it. */
  readonly env?: Mapping;
  /** `_secrets` as written: mounts, e.g. `{pg: {password: 'my.other.key'}}`. */
  readonly secrets?: Mapping;
  /** Body of `_error`; its name is `^error`. */
  readonly error?: Node;
  /** Body of `_check` (tasks only; ignored on groups); its name is `^check`. */
  readonly check?: Node;
  readonly retry?: Retry;
  readonly background?: boolean;
  /** Names of earlier siblings, with `+`. */
  readonly after?: readonly string[];
}

/** `limit` retries after the first try; a text is an expression, allowed only on tasks. Seconds. */
export type Retry =
  | {
      readonly kind: 'literal';
      readonly limit: number;
      readonly interval: number;
      readonly exponential: boolean;
      readonly maxInterval?: number;
    }
  | { readonly kind: 'expression'; readonly value: Value };

/** `'sequential'`, `'parallel'`, chunks of `limit`, or (only loops) an expression. */
export type Parallelism =
  | { readonly kind: 'sequential' }
  | { readonly kind: 'parallel' }
  | { readonly kind: 'limit'; readonly limit: number }
  | { readonly kind: 'expression'; readonly value: Value };

export interface Group {
  readonly kind: 'group';
  /** As written: `+name`; `+<workflow>` for a root; for generated nodes `^sub`, `^error`, `^check`, `^sla`. */
  readonly name: string;
  /** From its key to its end. */
  readonly span: Span;
  readonly directives: Directives;
  readonly parallel: Parallelism;
  readonly children: readonly Node[];
  /** Where each value of its directives is in the file, e.g. `_export.a`; computed when read. */
  readonly spans?: { readonly [path: string]: Span };
}

export interface Task {
  readonly kind: 'task';
  readonly name: string;
  readonly span: Span;
  readonly directives: Directives;
  /** Operator without `>`. One of the keys of OPERATORS in operators.ts. */
  readonly operator: string;
  /** The value of `op>:` (or `_command`). */
  readonly command: Value;
  /**
   * The task's own keys in the order written, as a Python task sees them: includes `py>`, `_type`, `_command`, `_retry`,
   * `_env`…, without `_export`, `_error`, `_check`, `_do`, `_else_do`.
   */
  readonly keys: Mapping;
  /**
   * The span of each key's value (and of each path below it, joined by `.`, also of `_export`), for diagnostics of later phases. Computed
   * when first read.
   */
  readonly spans: { readonly [path: string]: Span };
  /** Bodies of loop>, for_each>, for_range>, if>. Their name is `^sub`. */
  readonly body?: Node;
  readonly elseBody?: Node;
  /** Loops: `_parallel`. */
  readonly parallel: Parallelism;
  /** `_timeout` in seconds, or an expression. */
  readonly timeout?: number | string;
}

export type ScheduleKind = 'hourly' | 'daily' | 'weekly' | 'monthly' | 'minutes_interval' | 'seconds_interval' | 'cron';

export interface Schedule {
  readonly kind: ScheduleKind;
  /** Text of the value (or of `at`): `07:00:00`, `Sun,09:00:00`, `5`, a cron line. */
  readonly at: string;
  /** Seconds from session time to run time, for cron and intervals (the others derive it from `at`). */
  readonly delay: number;
  readonly skipOnOvertime: boolean;
  /** Seconds. */
  readonly skipDelayedBy?: number;
  /** `YYYY-MM-DD`, in the workflow's zone; end is inclusive. */
  readonly start?: string;
  readonly end?: string;
  readonly span: Span;
}

export interface Sla {
  readonly time?: string;
  readonly duration?: string;
  readonly alert: boolean;
  readonly fail: boolean;
  readonly body?: Node;
  readonly span: Span;
}
