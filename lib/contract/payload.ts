/**
 * What a compiled machine says to the functions and what they answer: the same JSON here and on AWS.
 * Names are short because they are in every state; docs/protocol.md, section "Payloads", explains them. What is JSON is a `type`: TypeScript
 * does not take an interface as JSON.
 */
import type { Mapping, Schedule, Value } from '../language/workflow.ts';

export const PROTOCOL = 1;

/**
 * One layer of scope. The shape is the kind: `{…}` stored values (data); `[{…}]` an `_export` (template text);
 * `[{…}, 0]` data that is no store (a loop's item, `{error: {Error, Cause}}`).
 */
export type Layer = Mapping | [Mapping] | [Mapping, 0];

/** The variable `$b`: what is the same for a whole execution. */
export type Builtins = {
  /** Built-in variables without task_name: session_time, timezone, attempt_id … They beat exports and stores. */
  vars: Mapping;
  attempt: Attempt;
};

export type Attempt = {
  /** Folder (here) or address (`s3://BUCKET/attempts/WORKFLOW/EXECUTION`) of this attempt's values and results. */
  root: string;
  /** Roots of the attempts this one resumes, nearest first; a result found there is not computed again. */
  resume?: string[];
  /** Roots of further attempts whose stores this one was given. */
  values?: string[];
  /** Also ask for the user's code to be unchanged before a result is taken over. */
  rerunChanged?: boolean;
  /** Full name of the workflow, e.g. `main`. */
  workflow: string;
  /** On AWS: ARN of the workflow's execution, also for the parts that are executions of their own. */
  execution?: string;
  /** On AWS: ARN of the role that the workflow's tasks have. */
  taskRole?: string;
  /**
   * In what no file of the project holds (a task that Python adds, a workflow that http_call> fetches): how many of a payload's layers, from
   * the outermost, are of those files all the same. Nothing else there may ask for a secret.
   */
  authored?: number;
  /** When the session is late (`sla:`), ISO 8601 in UTC. */
  sla?: string;
};

/** Common to launch, evaluate, http, notify. */
export type Payload = {
  v: number;
  /** Full task name, e.g. `+main+loop^sub+loop-0+x`. */
  t: string;
  /** Layers, near last. */
  l: Layer[];
  /** The same with what templates name read from files. Within a function: no state has it. */
  seen?: readonly Layer[];
  b: Builtins;
  /** The task's own keys: template text. `_env` and `_secrets` are already merged with those of enclosing levels; `_workdir` if any. */
  k: Mapping;
  /** Operator, without `>`. */
  op: string;
  /** The result replaces so many of the last layers: answer `{s}`. Absent: answer `{stored}`. 0: like 1 upon an empty layer. */
  m?: number;
  /**
   * `[from, count]` of each frame around the task that others run beside: layers from the `from`-th on are one of `count` that come together
   * in one state, when all have ended.
   */
  w?: (readonly [from: number, count: number])[];
  /** Infrastructure and task retries of this state so far. */
  n?: number;
  /** Tries of enclosing retried groups, outermost first. */
  r?: number[];
  /** loop>, for_each>, for_range>: how its iterations are cut if they are many. */
  i?: LoopPlan;
  /** call>: the files that may be called, and those on the way to the task, outermost first. */
  c?: { files: string[]; chain: string[] };
};

export type LaunchPayload = Payload & {
  token: string;
  /** On AWS: key of the task definition, if it is not `default` (an image or secrets of its own). */
  d?: string;
};

/** What launch, http answer (through the task token or directly). Exactly one of `s` and `stored`. */
export type StoreResult = {
  /** The last `m` layers and the task's stores, merged. */
  s?: Mapping;
  stored?: Mapping;
};

/** Answers of `evaluate` by operator; fail> is answered by the failure. `k` in the payload is the keys of the task. */
export type EvaluateResults = {
  echo: { text: string };
  if: { v: boolean };
  /**
   * loop, for_each, for_range: the iterations; of loop, how many; of many, a reference to the `Page` that leads to them. `parallel` only if the
   * payload's keys hold `_parallel`: 0 sequential, -1 all at once, N chunks.
   */
  loop: { items: LoopItem[] | number | { page: Mapping }; parallel?: number };
  /** What `k.page` refers to. */
  page: Page;
  /** `k.stored`, which many branches have stored, in no more than `k.room` bytes. */
  gather: { s: Mapping };
  wait: { seconds: number };
  /** call>: path of the file relative to the project, as `sub/part.dig`. */
  call: { file: string };
  /** The rendered `_retry` of a task. Seconds. */
  retry: { limit: number; interval: number; exponential: boolean; maxInterval?: number };
  /** require>: the other session. */
  require: {
    session_time: string;
    session_unixtime: number;
    params: Mapping;
    encoded?: boolean;
    rerun_on: string;
    ignore_failure: boolean;
  };
  /** s3_wait>: the request of headObject, how to reach S3 from here, and how long to go on asking (seconds). */
  s3_wait: { request: Mapping; client: Mapping; timeout?: number; continue_on_timeout: boolean };
  /** Any other operator: its rendered keys (command under `_command`). */
  keys: { k: Mapping };
};

/** `n`: the iteration's name part, e.g. `+loop-0`; `x`: what the body sees. */
export type LoopItem = {
  n: string;
  x: Mapping;
};

export type LoopPlan = {
  /** So many iterations run in the machine that holds the loop. */
  few: number;
  /** Iterations of a slice, at the most. */
  size: number;
  /** Slices, or slices of slices, that one machine starts. */
  fan: number;
  /** 0 in sequence, -1 all at once, N in chunks; what `_parallel: ${…}` gives counts before it. */
  width: number;
};

/** Iterations in a value of their own: a slice's, or references to the pages of several slices, run one after another or side by side. */
export type Page = { how: 'items'; of: LoopItem[] } | { how: 'sequence' | 'together'; of: Mapping[] };

export type SessionPayload = {
  v: number;
  workflow: string;
  timezone: string;
  schedule?: Omit<Schedule, 'span'>;
  /** `sla:` of the workflow, deployed: HH:MM[:SS]. */
  sla?: { time?: string; duration?: string };
  /** Deployed: ARN of the role that the workflow's tasks have. */
  taskRole?: string;
  /** `$states.context.Execution`: Id, Name, StartTime. */
  execution: { Id: string; Name: string; StartTime: string };
  /** `params:` of trowel.yml as values travel, deployed: under those of the input. */
  defaults?: Mapping;
  /** The execution's input: {session_time?, params?, resume_from?, …}; anything else is Trowel.BadInput. */
  input: Value;
};

/** What EventBridge Scheduler says to `session`, once or more often for a run. */
export type ScheduledPayload = {
  v: number;
  workflow: string;
  /** Of the workflow. */
  timezone: string;
  schedule: Omit<Schedule, 'span'>;
  /** The run's time, ISO 8601. */
  scheduled: string;
  /** Zone in which the run's time is read: UTC for seconds_interval>, else `timezone`. */
  zone: string;
  /** Seconds of wall time in `zone` from the session's time to its run. */
  delay: number;
  /** ARN of the state machine to start. */
  machine: string;
  /** Of the execution's name, before the session: the same as require> gives it, so that a session runs once however it is started. */
  prefix: string;
};

export type SessionResult = {
  params: Mapping;
  b: Builtins;
};
