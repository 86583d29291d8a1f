/** What a machine calls, read from its states: the permissions that its role gets. */
import type { StateMachine } from '../asl/types.ts';
import type { Mapping, Value } from '../language/workflow.ts';
import { statesOf } from './states.ts';

export interface Needs {
  /** Names of Trowel's own functions, sorted. */
  readonly functions: readonly string[];
  /** Names of the machines it starts: nested ones and those of require>. */
  readonly machines: readonly string[];
  /** Names of the machines it starts without waiting for them: what tells of a late session. */
  readonly started: readonly string[];
  /** Names of machines whose executions, which others started, are described. */
  readonly described: readonly string[];
  /** … are stopped. */
  readonly stopped: readonly string[];
  /** Names or ARNs of the user's functions that lambda> names literally. */
  readonly invoked: readonly string[];
  /** `bucket/key` of objects that s3_wait> names literally. */
  readonly objects: readonly string[];
  /** Operators whose permissions nobody but the user knows: `aws> athena:startQueryExecution`. */
  readonly unknown: readonly string[];
}

/** Names of the functions that machines invoke. */
export const MACHINE_FUNCTIONS = ['session', 'evaluate', 'launch', 'http', 'notify'] as const;

const EXECUTIONS: { readonly [action: string]: 'described' | 'stopped' } = {
  describeExecution: 'described',
  stopExecution: 'stopped',
};

const SDK = /^arn:aws:states:::(?:aws-sdk:)?([^:]+):(.+)$/;

export function needsOf(machine: StateMachine): Needs {
  const found = {
    functions: new Set<string>(),
    machines: new Set<string>(),
    started: new Set<string>(),
    described: new Set<string>(),
    stopped: new Set<string>(),
    invoked: new Set<string>(),
    objects: new Set<string>(),
    unknown: new Set<string>(),
  };
  for (const [, state] of statesOf(machine.States)) {
    if (state.Type !== 'Task') continue;
    const given: Mapping = isMapping(state.Arguments as Value) ? (state.Arguments as Mapping) : {};
    const [, service = '', action = ''] = SDK.exec(state.Resource) ?? [];
    if (service === 'lambda' && action.startsWith('invoke')) {
      readInvocation(given, found);
    } else if (service === 'states' && action.startsWith('startExecution')) {
      const target = placeholder(given.StateMachineArn, 'sm');
      if (target === undefined) found.unknown.add(`aws> ${service}:${action}`);
      else found[action.includes('.sync') ? 'machines' : 'started'].add(target);
    } else if (service === 'sfn' && EXECUTIONS[action] !== undefined && execution(given.ExecutionArn) !== undefined) {
      found[EXECUTIONS[action]].add(execution(given.ExecutionArn) ?? '');
    } else if (service === 's3' && action === 'headObject') {
      // The request is computed by the state before it, where its keys stand.
    } else {
      found.unknown.add(`aws> ${service}:${action}`);
    }
  }
  const sorted = (set: ReadonlySet<string>) => [...set].sort();
  return {
    functions: sorted(found.functions),
    machines: sorted(found.machines),
    started: sorted(found.started),
    described: sorted(found.described),
    stopped: sorted(found.stopped),
    invoked: sorted(found.invoked),
    objects: sorted(found.objects),
    unknown: sorted(found.unknown),
  };
}

function readInvocation(
  { FunctionName, Payload }: Mapping,
  found: { readonly [Key in 'functions' | 'invoked' | 'objects' | 'unknown']: Set<string> },
): void {
  const own = /^\$\{(\w+)\}$/.exec(String(FunctionName))?.[1];
  if (own === undefined) {
    const dynamic = String(FunctionName).startsWith('{%');
    if (dynamic) found.unknown.add('lambda> of a function that an expression names');
    else found.invoked.add(String(FunctionName));
    return;
  }
  found.functions.add(own);
  if (!isMapping(Payload) || Payload.op !== 's3_wait' || !isMapping(Payload.k)) return;
  const { k } = Payload;
  const path = k['s3_wait>'] ?? k._command;
  const [bucket, key] =
    typeof path === 'string' && path !== ''
      ? [path.split('/')[0], path.split('/').slice(1).join('/') || k.key]
      : [k.bucket, k.key];
  if (typeof bucket !== 'string' || bucket === '' || bucket.includes('$')) {
    found.unknown.add('s3_wait> of a bucket that an expression names');
    return;
  }
  // What an expression makes of the key is known only while it runs.
  found.objects.add(`${bucket}/${String(key ?? '*').replaceAll(/\$\{[^}]*\}/g, '*')}`);
}

/** `${sm_NAME}` → NAME. */
function placeholder(value: Value | undefined, kind: 'sm'): string | undefined {
  return new RegExp(`^\\$\\{${kind}_(.*)\\}$`, 's').exec(String(value))?.[1];
}

/** The workflow of `{% "${arn_NAME}:"&… %}`. */
function execution(value: Value | undefined): string | undefined {
  return /^\{% "\$\{arn_(.*?)\}:"/s.exec(String(value))?.[1];
}

function isMapping(value: Value | undefined): value is Mapping {
  return value !== null && value !== undefined && typeof value === 'object' && !Array.isArray(value);
}
