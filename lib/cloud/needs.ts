/** What a machine calls, read from its states: the permissions that its role gets. */
import { isMapping } from '../asl/json.ts';
import type { StateMachine } from '../asl/types.ts';
import { machinesIn } from '../compiler/definition-text.ts';
import { resourceOf } from '../compiler/operators/aws.ts';
import type { Mapping, Value } from '../language/workflow.ts';
import { type Grant, permissionsOf } from './aws-permissions.ts';
import { statesOf } from './states.ts';

export interface Needs {
  /** Names of Trowel's own functions, sorted. */
  readonly functions: readonly string[];
  /** Names of the machines it starts: nested ones and those of require>. */
  readonly machines: readonly string[];
  /** Names of the machines that it starts without waiting for them: those that report a late session. */
  readonly started: readonly string[];
  /** Names of machines whose executions, which others started, are described. */
  readonly described: readonly string[];
  /** … are stopped. */
  readonly stopped: readonly string[];
  /** Names or ARNs of the user's functions that lambda> names literally. */
  readonly invoked: readonly string[];
  /** `bucket/key` of objects that s3_wait> names literally. */
  readonly objects: readonly string[];
  /** Of these a version is asked for. */
  readonly versions: readonly string[];
  /** What aws> needs, as far as its arguments show it. */
  readonly grants: readonly Grant[];
  /** What nobody but the user knows: `aws> athena:startQueryExecution: iam:PassRole on …`. */
  readonly unknown: readonly string[];
}

const EXECUTIONS: { readonly [action: string]: 'described' | 'stopped' } = {
  describeExecution: 'described',
  stopExecution: 'stopped',
};

const SDK = /^arn:aws:states:::(?:aws-sdk:)?([^:]+):(.+)$/;

class Found {
  readonly functions = new Set<string>();
  readonly machines = new Set<string>();
  readonly started = new Set<string>();
  readonly described = new Set<string>();
  readonly stopped = new Set<string>();
  readonly invoked = new Set<string>();
  readonly objects = new Set<string>();
  readonly versions = new Set<string>();
  readonly grants = new Map<string, Grant>();
  readonly unknown = new Set<string>();
}

export function needsOf(machine: StateMachine): Needs {
  const found = new Found();
  for (const [, state] of statesOf(machine.States)) {
    if (state.Type !== 'Task') continue;
    // The arguments are computed by the state before it, which has their text.
    if (typeof state.Arguments === 'string') continue;
    const given: Mapping = isMapping(state.Arguments as Value) ? (state.Arguments as Mapping) : {};
    const [, service = '', action = ''] = SDK.exec(state.Resource) ?? [];
    const ended = execution(given.ExecutionArn);
    const started = action.startsWith('startExecution') ? machinesIn(given.StateMachineArn) : [];
    const looked = service === 'sfn' ? EXECUTIONS[action] : undefined;
    if (service === 'lambda' && action.startsWith('invoke') && isOwn(given.FunctionName)) readOwn(given, found);
    else if (started.length > 0)
      for (const each of started) found[action.includes('.sync') ? 'machines' : 'started'].add(each);
    else if (looked !== undefined && ended !== undefined) found[looked].add(ended);
    else readCall(state.Resource, given, found);
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
    versions: sorted(found.versions),
    grants: [...found.grants].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, grant]) => grant),
    unknown: sorted(found.unknown),
  };
}

/** Of machines that share a role. */
export function mergedNeeds(all: readonly Needs[]): Needs {
  const union = (pick: (needs: Needs) => readonly string[]) => [...new Set(all.flatMap(pick))].sort();
  const grants = new Map(all.flatMap((needs) => needs.grants.map((grant) => [JSON.stringify(grant), grant] as const)));
  return {
    functions: union(({ functions }) => functions),
    machines: union(({ machines }) => machines),
    started: union(({ started }) => started),
    described: union(({ described }) => described),
    stopped: union(({ stopped }) => stopped),
    invoked: union(({ invoked }) => invoked),
    objects: union(({ objects }) => objects),
    versions: union(({ versions }) => versions),
    grants: [...grants.values()],
    unknown: union(({ unknown }) => unknown),
  };
}

/** An aws> or lambda> whose arguments are known, or known but for their expressions. */
function readCall(resource: string, args: Mapping, found: Found): void {
  const call = resource.replace(/^arn:aws:states:::(?:aws-sdk:)?/, '');
  const name = String(args.FunctionName);
  if (call === 'lambda:invoke') {
    if (name.includes('${') || name.startsWith('{%'))
      found.unknown.add('lambda> of a function that an expression names');
    else found.invoked.add(args.Qualifier === undefined ? name : `${name}:${String(args.Qualifier)}`);
    return;
  }
  const { grants, missing } = permissionsOf(resource, args);
  for (const grant of grants) found.grants.set(JSON.stringify(grant), grant);
  for (const each of missing) found.unknown.add(`aws> ${call}: ${each}`);
}

/** A call of Trowel's own function; `evaluate` shows what the state after it is going to call. */
function readOwn({ FunctionName, Payload }: Mapping, found: Found): void {
  found.functions.add(placeholder(FunctionName) ?? '');
  if (!isMapping(Payload) || !isMapping(Payload.k)) return;
  const { k, op } = Payload;
  if (op === 's3_wait') readWait(k, found);
  if (op === 'aws') {
    const command = String(k['aws>'] ?? k._command);
    readCall(resourceOf(command), isMapping(k.arguments) ? k.arguments : {}, found);
  }
  if (op === 'lambda') {
    const qualifier = k.qualifier === undefined ? {} : { Qualifier: k.qualifier };
    readCall(
      'arn:aws:states:::lambda:invoke',
      { FunctionName: k['lambda>'] ?? k._command ?? null, ...qualifier },
      found,
    );
  }
}

function readWait(k: Mapping, found: Found): void {
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
  const object = `${bucket}/${String(key ?? '*').replaceAll(/\$\{[^}]*\}/g, '*')}`;
  found.objects.add(object);
  if (k.version_id !== undefined && k.version_id !== null) found.versions.add(object);
}

function isOwn(name: Value | undefined): boolean {
  return /^\$\{\w+\}$/.test(String(name));
}

/** `${NAME}` → NAME. */
function placeholder(value: Value | undefined): string | undefined {
  return /^\$\{(.*)\}$/s.exec(String(value))?.[1];
}

/** The workflow of `{% "${arn_NAME}:"&… %}`. */
function execution(value: Value | undefined): string | undefined {
  return /^\{% "\$\{arn_(.*?)\}:"/s.exec(String(value))?.[1];
}
