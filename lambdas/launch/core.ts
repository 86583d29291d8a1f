/**
 * The function behind every py>, sh>, task> and function>: renders the task, writes what it is to do (the assignment of
 * docs/protocol.md) and hands it to the compute. It answers at once where an attempt that this one resumes has the result. Pure:
 * everything outside comes in by `Services`; run in-process here, as an AWS Lambda function there.
 */
import { expected } from '../../lib/expression/coerce.ts';
import { toSeconds } from '../../lib/expression/duration.ts';
import { TrowelError } from '../../lib/expression/failure.ts';
import { checkVersion } from '../../lib/expression/protocol.ts';
import type { RenderRequest, RenderResult } from '../../lib/expression/render.ts';
import { baseLayers } from '../../lib/expression/stores.ts';
import { type Builtins, ERRORS, type LaunchPayload, PROTOCOL } from '../../lib/expression/wire.ts';
import type { Mapping, Value } from '../../lib/language/workflow.ts';
import type { Assignment, Compute, Job } from './compute.ts';
import { jobId, resultPath } from './names.ts';
import { type ReadReference, resolveMentioned } from './references.ts';
import { asRecord, type ReadRecord, type Replayed, replay, unchanged } from './replay.ts';
import { mountedKey, secretKeys, secretPlaces } from './secret-keys.ts';

export interface Services {
  /** lib/expression's renderer. */
  readonly render: (request: RenderRequest) => Promise<RenderResult>;
  readonly compute: Compute;
  /** Records of finished tasks, by root and path; undefined where there is none. */
  readonly results: ReadRecord;
  readonly references?: ReadReference;
  /** Built-in variables that an earlier attempt had of its own, e.g. `{attempt_id: 3}`. */
  readonly attemptVariables?: (root: string) => Mapping | undefined;
  /** Whether the file with a py> task's code still has this sha256; asked if the attempt says `rerunChanged`. */
  readonly codeUnchanged?: (assignment: Assignment, sha256: string) => Promise<boolean>;
  /** Those of the keys that are not set. Absent: not checked here (the container's secrets are checked when it is deployed). */
  readonly missingSecrets?: (keys: readonly string[]) => Promise<readonly string[]>;
  /** How to set a secret, for the message. */
  readonly secretCommand?: (key: string) => string;
  /** Seconds; of a task without `_timeout`. */
  readonly defaultTimeout?: number;
}

/** `started`: the answer comes through the task token. `replayed`: it is here. */
export type Launched = { readonly started: string } | { readonly replayed: Replayed };

/**
 * Starts a task or takes its result over.
 * @throws TrowelError Trowel.Template, Trowel.Secret, Trowel.BadInput; what the compute throws.
 */
export async function launch(payload: LaunchPayload, services: Services): Promise<Launched> {
  checkVersion(payload);
  const rendered = await render(payload, services);
  const job = await jobOf(payload, rendered, services);
  const replayed = await findResult(payload, job.assignment, services);
  if (replayed !== undefined) return { replayed };
  if (!(await services.compute.offer(job))) await services.compute.start(job);
  return { started: job.id };
}

/**
 * The result of the same task and try in the nearest earlier attempt that has one, if what the task reads is unchanged. A state that is
 * tried again asks this attempt first: a task that had succeeded when its container was lost is not run twice. Templates may
 * name the attempt (`out/${attempt_id}`): that alone makes no difference, so they are also tried with its variables of then.
 */
async function findResult(payload: LaunchPayload, now: Assignment, services: Services): Promise<Replayed | undefined> {
  const { root: own, resume = [], rerunChanged } = payload.b.attempt;
  const path = resultPath(payload.t, payload.r);
  for (const root of (payload.n ?? 0) > 0 ? [own, ...resume] : resume) {
    const record = asRecord(await services.results(root, path));
    if (record === undefined || record.task !== payload.t) continue;
    if (rerunChanged && root !== own && record.module && (await services.codeUnchanged?.(now, record.module)) !== true)
      return undefined;
    if (unchanged(record, now)) return replay(payload, record);
    const then = services.attemptVariables?.(root);
    if (then === undefined) return undefined;
    const vars = { ...payload.b.vars, ...then };
    const { params, keys } = await render({ ...payload, b: { ...payload.b, vars } }, services);
    const before = { params, keys: now.keys, env: envOf(keys) };
    return unchanged(record, before) ? replay(payload, record) : undefined;
  }
  return undefined;
}

interface RenderedTask {
  readonly params: Mapping;
  readonly keys: Mapping;
}

async function render(payload: LaunchPayload, services: Services): Promise<RenderedTask> {
  const read = services.references;
  const layers = read === undefined ? payload.l : await resolveMentioned(payload.l, payload.k, read);
  const rendered = await services.render({
    layers,
    builtins: payload.b.vars,
    task: payload.t,
    keys: payload.k,
    timezone: timezoneOf(payload.b),
  });
  if (!rendered.ok) {
    throw new TrowelError(rendered.error.name, rendered.error.message);
  }
  // `py>: f` is short for `_type: py, _command: f`, and an operator sees both forms.
  const { params, keys } = rendered;
  const { _type = payload.op, _command = keys[`${payload.op}>`] } = keys;
  const long: Mapping = _command === undefined ? { _type } : { _type, _command };
  return { params: { ...params, ...long }, keys };
}

async function jobOf(payload: LaunchPayload, task: RenderedTask, services: Services): Promise<Job> {
  const { keys } = task;
  const asked = secretsOf(payload, keys);
  await checkSecrets(asked, services);
  const timeout = timeoutOf(keys) ?? services.defaultTimeout;
  const assignment: Assignment = {
    v: PROTOCOL,
    task: payload.t,
    operator: payload.op,
    params: task.params,
    keys: Object.keys(keys),
    env: envOf(keys),
    secrets_map: mapping(keys._secrets) ?? {},
    ...(typeof keys._workdir === 'string' ? { workdir: keys._workdir } : {}),
    ...(timeout === undefined ? {} : { timeout }),
    layers: baseLayers(payload),
    ...(payload.m === undefined ? {} : { merge: payload.m }),
    ...(payload.w === undefined ? {} : { shares: payload.w }),
    builtins: payload.b,
    root: payload.b.attempt.root,
    result: `${payload.b.attempt.root}/${resultPath(payload.t, payload.r)}`,
    frames: payload.l as Value[],
    ...pythonOf(task.params),
  };
  const docker = mapping(task.params.docker);
  const resources = mapping(task.params.resources);
  return {
    id: jobId(payload.token),
    token: payload.token,
    assignment,
    secrets: [...new Set(asked.values())],
    ...(docker === undefined ? {} : { docker }),
    ...(resources === undefined ? {} : { resources }),
  };
}

/**
 * The secrets that the task's `_env` and sh> text name, once rendered, and the keys under which they are kept. Where the texts as
 * written name no secret there is none, so that a parameter's value cannot ask for one.
 */
function secretsOf(payload: LaunchPayload, keys: Mapping): Map<string, string> {
  const asked = secretPlaces(payload.op).flatMap((place) =>
    secretMention(payload.k[place]) ? secretKeys(keys[place]) : [],
  );
  return new Map(asked.map((key) => [key, mountedKey(key, keys._secrets)]));
}

async function checkSecrets(asked: ReadonlyMap<string, string>, services: Services): Promise<void> {
  if (asked.size === 0 || services.missingSecrets === undefined) return;
  const [missing] = await services.missingSecrets([...asked.values()]);
  if (missing === undefined) return;
  const command = services.secretCommand?.(missing);
  const way = command === undefined ? '' : `\nSet it with: ${command}`;
  throw new TrowelError(ERRORS.secret, `Secret not found for key: '${missing}'${way}`);
}

function secretMention(value: Value | undefined): boolean {
  return value !== undefined && JSON.stringify(value).includes('${secret:');
}

function envOf(keys: Mapping): { [name: string]: string } {
  const env: { [name: string]: string } = {};
  for (const [name, value] of Object.entries(mapping(keys._env) ?? {})) {
    if (!/^[A-Za-z_][A-Za-z_0-9]*$/.test(name)) {
      throw new TrowelError(ERRORS.badInput, `Invalid _env key name: ${name}`);
    }
    env[name] = typeof value === 'string' ? value : value === null ? '' : JSON.stringify(value);
  }
  return env;
}

function timeoutOf(keys: Mapping): number | undefined {
  if (keys._timeout === undefined || keys._timeout === null) return undefined;
  const timeout = toSeconds(keys._timeout, '_timeout', true);
  if (timeout.ok && timeout.value > 0) return timeout.value;
  const { message } = timeout.ok ? expected('a duration such as "1h 30m"', keys._timeout, '_timeout') : timeout;
  throw new TrowelError(ERRORS.badInput, message);
}

/** digdag's `python: python3.11` or a list; also as `py: {python: …}` of an `_export`. */
function pythonOf(params: Mapping): { python?: string[] } {
  const value = params.python ?? mapping(params.py)?.python;
  if (typeof value === 'string' && value !== '') return { python: [value] };
  if (Array.isArray(value) && value.length > 0) return { python: value.map(String) };
  return {};
}

function timezoneOf(builtins: Builtins): string {
  return typeof builtins.vars.timezone === 'string' ? builtins.vars.timezone : 'UTC';
}

function mapping(value: Value | undefined): Mapping | undefined {
  return value !== null && typeof value === 'object' && !Array.isArray(value) ? value : undefined;
}
