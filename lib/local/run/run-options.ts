/** What a run is given, and what it gives in the end. */

import type { Json } from '../../asl/types.ts';
import type { Compiled } from '../../compiler/compile.ts';
import type { HistoryEvent } from '../../engine/history.ts';
import type { Clock, Invoke, Outcome } from '../../engine/types.ts';
import type { RunStatus } from '../../events/run-event.ts';
import type { Services } from '../../functions/launch/core.ts';
import type { Mapping } from '../../language/workflow.ts';
import type { LocalFunction } from '../functions/invoke.ts';
import type { AttemptInfo } from '../history/attempt-info.ts';
import type { SecretStore } from '../secrets.ts';
import type { PythonHost } from '../workers/python-host.ts';

/** What a run needs of what the compiler makes of a workflow. */
export type Runnable = Pick<Compiled, 'machine' | 'nested' | 'tasks'>;

/** What the functions of lambdas/ are given in a run. */
export interface RunContext {
  /** The value of a secret; it is masked from then on, but for what messages may show. */
  readonly secret: (key: string, shown?: boolean) => Promise<string | undefined>;
  /** Output of a native operator. */
  readonly print: (task: string, text: string) => void;
  readonly notice: (message: string) => void;
  /** Runs a machine that became known only now (http_call>, add_subtask) as a part of this run. */
  readonly execute: (compiled: Runnable, input: Json, signal: AbortSignal) => Promise<Outcome>;
}

export interface RunOptions {
  /** The project's folder. */
  readonly project: string;
  /** Full name, e.g. `main`. */
  readonly workflow: string;
  readonly compiled: Runnable;
  /** A workflow that require> names; undefined if there is none. */
  readonly required?: (workflow: string) => Promise<Runnable | undefined>;
  /** In digdag's form, `2030-01-31T00:00:00+00:00`. */
  readonly sessionTime: string;
  readonly params: Mapping;
  /** Continues this attempt: its session and parameters count, not those above. */
  readonly resume?: AttemptInfo;
  /** With `resume`: full name of the one task that is run; the others answer what they did then. */
  readonly only?: string;
  /** With `resume`: also ask for the code of a task to be unchanged. */
  readonly rerunChanged?: boolean;
  /** Where history is kept, e.g. `<project>/.trowel`; absent: nothing remains. */
  readonly historyFolder?: string;
  /** Session, evaluate, http, notify. */
  readonly functions: (context: RunContext) => { readonly [name: string]: LocalFunction };
  readonly render: Services['render'];
  /** Every other resource. */
  readonly aws?: Invoke;
  /** The run stops it. */
  readonly python: PythonHost;
  readonly secrets: Pick<SecretStore, 'get' | 'missing'>;
  /** The command that sets a secret, to paste. */
  readonly secretCommand?: (key: string) => string;
  /** Seconds; `task.timeout` of trowel.yml. */
  readonly taskTimeout?: number;
  /** `values.pickle` of trowel.yml. */
  readonly pickle?: boolean;
  readonly debug?: { readonly task: string; readonly how: Json };
  /** Stops the run: each task's process tree is ended, politely first. */
  readonly signal?: AbortSignal;
  readonly clock?: Clock;
  /** Shown every event of every machine, in Step Functions' words: bench/aws counts them. */
  readonly onHistory?: (event: HistoryEvent) => void;
}

export interface RunResult {
  readonly status: RunStatus;
  readonly error?: string;
  readonly message?: string;
  /** The attempt's folder, if it was kept. */
  readonly directory?: string;
}
