/** What the role of a state machine may do: made of what its states ask for (lib/compiler/needs.ts). */
import type { Needs } from '../compiler/needs.ts';
import type { Mapping } from '../language/workflow.ts';
import { type Grant, permissionsOf } from './aws-permissions.ts';

export interface Rights {
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

/** @param needs those of one machine */
export function rightsOf(needs: Needs): Rights {
  const found = new Found();
  for (const need of needs) {
    if (need.kind === 'function') found.functions.add(need.name);
    else if (need.kind === 'machine') found[need.waits ? 'machines' : 'started'].add(need.name);
    else if (need.kind === 'execution') found[need.action === 'stop' ? 'stopped' : 'described'].add(need.workflow);
    else if (need.kind === 'call') readCall(need.resource, need.arguments, found);
    else if (need.kind === 'object') readObject(need.path, need.version, found);
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
export function mergedRights(all: readonly Rights[]): Rights {
  const union = (pick: (rights: Rights) => readonly string[]) => [...new Set(all.flatMap(pick))].sort();
  const grants = new Map(
    all.flatMap((rights) => rights.grants.map((grant) => [JSON.stringify(grant), grant] as const)),
  );
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

function readCall(resource: string, args: Mapping, found: Found): void {
  const call = resource.replace(/^arn:aws:states:::(?:aws-sdk:)?/, '');
  if (call === 'lambda:invoke') {
    const name = String(args.FunctionName);
    if (name.includes('${') || name.startsWith('{%'))
      found.unknown.add('lambda> of a function that an expression names');
    else found.invoked.add(args.Qualifier === undefined ? name : `${name}:${String(args.Qualifier)}`);
    return;
  }
  const { grants, missing } = permissionsOf(resource, args);
  for (const grant of grants) found.grants.set(JSON.stringify(grant), grant);
  for (const each of missing) found.unknown.add(`aws> ${call}: ${each}`);
}

function readObject(path: string | undefined, version: boolean, found: Found): void {
  if (path === undefined) {
    found.unknown.add('s3_wait> of a bucket that an expression names');
    return;
  }
  found.objects.add(path);
  if (version) found.versions.add(path);
}
