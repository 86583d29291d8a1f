/**
 * The function behind every py>, sh>, task> and function>: renders the task, writes what it is to do (the assignment of
 * docs/protocol.md) and hands it to the compute. It answers at once where an attempt that this one resumes has the result. Pure:
 * everything outside comes in by `Services`; run in-process here, as an AWS Lambda function there.
 */

import { isMapping } from '../../asl/json.ts';
import { present } from '../../asl/present.ts';
import type { Assignment, Job } from '../../contract/assignment.ts';
import { ERRORS, TrowelError } from '../../contract/errors.ts';
import { setOwn } from '../../contract/merge.ts';
import { jobId, reportsPath, resultPath } from '../../contract/names.ts';
import { type Builtins, type LaunchPayload, PROTOCOL } from '../../contract/payload.ts';
import { checkVersion } from '../../contract/protocol.ts';
import { baseLayers } from '../../contract/stores.ts';
import type { Values } from '../../contract/values.ts';
import { expected } from '../../expression/coerce.ts';
import { toSeconds } from '../../expression/duration.ts';
import { Marks } from '../../expression/marks.ts';
import type { RenderRequest, RenderResult } from '../../expression/render.ts';
import { adapterOf, codeOf } from '../../language/operators.ts';
import { hasNoText } from '../../language/value-form.ts';
import type { Mapping, Value } from '../../language/workflow.ts';
import { besideOf } from './beside.ts';
import type { Compute, Started } from './compute.ts';
import { envOf } from './env.ts';
import { resolveMentioned } from './references.ts';
import { asRecord, type ReadRecord, type Replayed, type ResultRecord, replay, unchanged } from './replay.ts';
import { type Secrets, secretsIn, withMarks } from './secret-texts.ts';

export interface Services {
  /** lib/expression's renderer. */
  readonly render: (request: RenderRequest) => Promise<RenderResult>;
  readonly compute: Compute;
  /** Records of finished tasks, by root and path; undefined where there is none. */
  readonly results: ReadRecord;
  readonly values?: Pick<Values, 'read'>;
  /** Built-in variables whose values an earlier attempt had, e.g. `{attempt_id: 3}`. */
  readonly attemptVariables?: (root: string) => Mapping | undefined;
  /** Whether the file with a py> task's code still has this sha256; asked if the attempt says `rerunChanged`. */
  readonly codeUnchanged?: (assignment: Assignment, sha256: string) => Promise<boolean>;
  /** Gives the keys whose secrets are not set. Absent: not checked here (the container's secrets are checked when it is deployed). */
  readonly missingSecrets?: (keys: readonly string[]) => Promise<readonly string[]>;
  /**
   * What distinguishes the present value of a secret from another, without giving the value away. `like`: one of an earlier time, to be
   * compared with. Absent: a secret that has changed makes no difference to a resumed attempt.
   */
  readonly secretVersion?: (key: string, like?: string) => Promise<string | undefined>;
  /** Whether an expression may name the secret. Default: any. */
  readonly computable?: (key: string) => boolean;
  /** How to set a secret, for the message. */
  readonly secretCommand?: (key: string) => string;
  /** Seconds, for a task without `_timeout`. */
  readonly defaultTimeout?: number;
  /** `values.pickle` of trowel.yml. */
  readonly pickle?: boolean;
}

/** `started`: the answer comes through the task token. `reports`: of an assignment that has it. `replayed`: the answer is here. */
export type Launched =
  | ({ readonly started: string; readonly reports?: string } & Started)
  | { readonly replayed: Replayed };

/**
 * Starts a task or takes its result over.
 * @throws TrowelError Trowel.Template, Trowel.Secret, Trowel.BadInput; what the compute throws.
 */
export async function launch(payload: LaunchPayload, services: Services): Promise<Launched> {
  checkVersion(payload);
  const rendered = await render(payload, services);
  const job = await jobOf(payload, rendered, services);
  const replayed = await findResult(payload, job, services);
  if (replayed !== undefined) return { replayed };
  const ready = await withVersions(job, services);
  const { compute } = services;
  const started = (await compute.offer(ready)) ? {} : await compute.start(ready);
  return { started: job.id, ...started, ...present({ reports: job.assignment.reports }) };
}

/**
 * The result of the same task and try in the nearest earlier attempt that has one, if what the task reads is unchanged. A state that is
 * tried again asks this attempt first: a task that had succeeded when its container was lost is not run twice. Templates may
 * name the attempt (`out/${attempt_id}`), which is no change by itself, so they are also rendered with the variables of the earlier attempt.
 */
async function findResult(payload: LaunchPayload, job: Job, services: Services): Promise<Replayed | undefined> {
  const now = job.assignment;
  const { root: own, resume = [], rerunChanged } = payload.b.attempt;
  const path = resultPath(payload.t, payload.r);
  for (const root of (payload.n ?? 0) > 0 ? [own, ...resume] : resume) {
    const record = asRecord(await services.results(root, path));
    if (record === undefined || record.task !== payload.t) continue;
    if (rerunChanged && root !== own && record.module && (await services.codeUnchanged?.(now, record.module)) !== true)
      return undefined;
    if (!(await sameSecrets(record, job.secrets, services))) return undefined;
    if (unchanged(record, now)) return replay(payload, record);
    const then = services.attemptVariables?.(root);
    if (then === undefined) return undefined;
    const vars = { ...payload.b.vars, ...then };
    const { params, env } = await render({ ...payload, b: { ...payload.b, vars } }, services);
    const before = { params, keys: now.keys, env };
    return unchanged(record, before) ? replay(payload, record) : undefined;
  }
  return undefined;
}

/** Whether the task would get the same secrets as when the record was made. */
async function sameSecrets(record: ResultRecord, keys: readonly string[], services: Services): Promise<boolean> {
  const { secretVersion } = services;
  if (secretVersion === undefined) return true;
  const { secrets = {} } = record;
  if (Object.keys(secrets).length !== keys.length) return false;
  const same = keys.map(
    async (key) => Object.hasOwn(secrets, key) && (await secretVersion(key, secrets[key])) === secrets[key],
  );
  return (await Promise.all(same)).every(Boolean);
}

async function withVersions(job: Job, { secretVersion }: Services): Promise<Job> {
  if (secretVersion === undefined || job.secrets.length === 0) return job;
  const entries = await Promise.all(job.secrets.map(async (key) => [key, await secretVersion(key)] as const));
  const secret_versions = Object.fromEntries(
    entries.flatMap(([key, version]) => (version === undefined ? [] : [[key, version]])),
  );
  return { ...job, assignment: { ...job.assignment, secret_versions } };
}

interface RenderedTask {
  readonly params: Mapping;
  readonly keys: Mapping;
  readonly env: { readonly [name: string]: string };
  readonly secrets: Secrets;
}

async function render(payload: LaunchPayload, services: Services): Promise<RenderedTask> {
  const { values } = services;
  const layers = values === undefined ? payload.l : await resolveMentioned(payload.l, payload.k, values);
  const marks = new Marks();
  const rendered = await services.render({
    layers,
    builtins: payload.b.vars,
    task: payload.t,
    keys: withMarks(payload, marks),
    timezone: timezoneOf(payload.b),
    passes: (_, mark) => hasNoText(mark),
  });
  if (!rendered.ok) throw new TrowelError(rendered.error.name, marks.unmark(rendered.error.message));
  // `py>: f` is short for `_type: py, _command: f`, and an operator sees both forms.
  const keys = marks.unmark(rendered.keys);
  const params = { ...rendered.params };
  for (const key of Object.keys(keys)) setOwn(params, key, marks.unmark(params[key] ?? null));
  const own = marks.unmark(rendered.own);
  const marked = envOf(rendered.own._env, '_env');
  const { _command: script = rendered.keys[`${payload.op}>`] } = rendered.keys;
  const mounts = mapping(keys._secrets) ?? {};
  const asking = {
    env: marked,
    script: codeOf(payload.op) === 'shell' && typeof script === 'string' ? script : undefined,
  };
  const secrets = secretsIn(asking, { marks, payload, mounts }, services.computable);
  const { _type = payload.op, _command = own[`${payload.op}>`] } = own;
  const long: Mapping = _command === undefined ? { _type } : { _type, _command };
  return { params: { ...params, ...long }, keys, env: marks.unmark(marked), secrets };
}

async function jobOf(payload: LaunchPayload, task: RenderedTask, services: Services): Promise<Job> {
  const { keys, secrets } = task;
  await checkSecrets(secrets.keys, services);
  const timeout = timeoutOf(keys) ?? services.defaultTimeout;
  const assignment: Assignment = {
    v: PROTOCOL,
    task: payload.t,
    operator: payload.op,
    params: task.params,
    keys: Object.keys(keys),
    env: task.env,
    secrets_map: mapping(keys._secrets) ?? {},
    secret_texts: secrets.texts,
    ...present({ workdir: typeof keys._workdir === 'string' ? keys._workdir : undefined }),
    ...present({ timeout }),
    layers: baseLayers(payload),
    ...present({ merge: payload.m, shares: payload.w }),
    builtins: payload.b,
    root: payload.b.attempt.root,
    result: `${payload.b.attempt.root}/${resultPath(payload.t, payload.r)}`,
    frames: payload.l,
    ...pythonOf(task.params),
    ...tryOf(payload),
    ...adapterFields(payload),
    ...present({ pickle: services.pickle || undefined }),
  };
  const docker = mapping(task.params.docker);
  const resources = mapping(task.params.resources);
  return {
    id: jobId(payload.token),
    token: payload.token,
    assignment,
    secrets: secrets.keys,
    ...present({ docker, resources, beside: besideOf(keys._beside) }),
  };
}

function tryOf({ n = 0, r = [], b }: LaunchPayload): Pick<Assignment, 'try' | 'run'> {
  const { vars, attempt } = b;
  const run = attempt.execution?.split(':').at(-1) ?? vars.attempt_id;
  return {
    try: r.reduce((sum, tries) => sum + tries, 1 + n),
    ...present({ run: run === undefined || run === null ? undefined : String(run) }),
  };
}

function adapterFields({ op, t, n, r, b }: LaunchPayload): Pick<Assignment, 'adapter' | 'reports'> {
  const adapter = adapterOf(op);
  return adapter === undefined ? {} : { adapter, reports: `${b.attempt.root}/${reportsPath(t, r, n)}` };
}

async function checkSecrets(keys: readonly string[], services: Services): Promise<void> {
  if (keys.length === 0 || services.missingSecrets === undefined) return;
  const [missing] = await services.missingSecrets(keys);
  if (missing === undefined) return;
  const command = services.secretCommand?.(missing);
  const way = command === undefined ? '' : `\nSet it with: ${command}`;
  throw new TrowelError(ERRORS.secret, `Secret not found for key: '${missing}'${way}`);
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
  return isMapping(value) ? value : undefined;
}
