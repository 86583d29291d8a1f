/**
 * Where the command line meets lib/local: a compiled workflow, with everything a run needs plugged in. What few workflows use (http>,
 * mail>, JavaScript expressions) is loaded when it is first called.
 */

import type { Json } from '../asl/types.ts';
import type { Compiled } from '../compiler/compile.ts';
import type { Payload, SessionPayload } from '../contract/payload.ts';
import { TaskError } from '../engine/errors.ts';
import type { Invoke } from '../engine/types.ts';
import { seen } from '../expression/mask.ts';
import { type RenderRequest, type RenderResult, render, renderText } from '../expression/render.ts';
import { session } from '../functions/session/core.ts';
import { codeOf, kindOf } from '../language/operators.ts';
import type { Project } from '../language/project.ts';
import type { Reference } from '../language/value-form.ts';
import type { Mapping } from '../language/workflow.ts';
import type { Aws, AwsOptions } from './aws/aws.ts';
import { evaluateUnknown, IdlePython, withoutEffects, withoutWaits } from './dry-run.ts';
import type { LocalFunction } from './functions.ts';
import type { AttemptInfo } from './history/attempt-info.ts';
import { type Run, startRun } from './run.ts';
import type { RunContext, RunOptions } from './run-options.ts';
import { SecretStore } from './secrets.ts';
import { isUnknown, Unknowns } from './unknowns.ts';
import { valuesOf } from './values.ts';
import { PythonHost } from './workers/python-host.ts';

export interface LocalRun {
  readonly project: Project;
  readonly workflow: string;
  readonly compiled: Compiled;
  readonly required: (workflow: string) => Promise<Compiled | undefined>;
  /** In digdag's form. */
  readonly sessionTime: string;
  readonly params: Mapping;
  readonly resume?: AttemptInfo;
  /** With `resume`: the one task that is run. */
  readonly only?: string;
  readonly rerunChanged: boolean;
  /** Absent: nothing is kept. */
  readonly historyFolder?: string;
  readonly debug?: { readonly task: string; readonly port?: number };
  readonly dryRun: boolean;
  /** Told what each task sees, when it is rendered. */
  readonly onParams?: (task: string, params: Mapping) => void;
  readonly secretCommand: (key: string) => string;
  readonly env: NodeJS.ProcessEnv;
  readonly python: PythonHost;
  readonly signal: AbortSignal;
  readonly onHistory?: RunOptions['onHistory'];
}

export function startLocalRun(options: LocalRun): Run {
  const { project, compiled, dryRun, onParams, resume, historyFolder, debug } = options;
  const store = new SecretStore(project.dir, options.env);
  const unknowns = dryRun ? new Unknowns(render) : undefined;
  const basic: typeof render = unknowns === undefined ? render : (request) => unknowns.render(request);
  const showing = onParams === undefined ? basic : showingParams(basic, onParams);
  const skip = (): void => {
    if (unknowns !== undefined) unknowns.skipped = true;
  };
  if (options.python instanceof IdlePython) options.python.onSkip = skip;
  return startRun({
    project: project.dir,
    workflow: options.workflow,
    compiled: dryRun ? withoutWaits(compiled) : compiled,
    required: options.required,
    sessionTime: options.sessionTime,
    params: options.params,
    functions: (context) => functionsOf(options, context, showing, skip),
    render: dryRun ? withoutLimits(showing) : showing,
    python: options.python,
    signal: options.signal,
    // A dry run must not fail for want of what it does not use.
    secrets: dryRun ? { get: async () => undefined, missing: async () => [] } : store,
    secretCommand: options.secretCommand,
    taskTimeout: project.config.task.timeout,
    pickle: project.config.values.pickle,
    rerunChanged: options.rerunChanged,
    aws: dryRun ? skipped(skip) : awsInvoke(project.dir, store),
    ...(options.onHistory !== undefined && { onHistory: options.onHistory }),
    ...(resume !== undefined && { resume }),
    ...(options.only !== undefined && { only: options.only }),
    ...(historyFolder !== undefined && { historyFolder }),
    ...(debug !== undefined && {
      debug: {
        task: debug.task,
        how: debug.port === undefined ? { mode: 'pdb' } : { mode: 'debugpy', port: debug.port },
      },
    }),
  });
}

function functionsOf(
  { project, env, dryRun, secretCommand, onParams }: LocalRun,
  context: RunContext,
  rendering: typeof render,
  skip: () => void,
): { [name: string]: LocalFunction } {
  const idle = async (payload: Payload): Promise<Json> => {
    const answer = asJson(await withoutEffects(payload, rendering));
    skip();
    return answer;
  };
  const { secret, print } = context;
  const services = (payload: Payload, signal: AbortSignal) => ({
    render: rendering,
    renderText,
    secret: (key: string, mounts: Mapping, shown?: boolean) =>
      mounted(key, mounts).then((stored) => secret(stored, shown)),
    missingSecret: (key: string) => `Secret not found for key: '${key}'. Set it with: ${secretCommand(key)}`,
    env,
    log: (line: string) => print(payload.t, line),
    signal,
    notifications: project.config.notifications,
  });
  const http: LocalFunction = async (given, { signal }) => {
    const payload = given as Payload;
    if (dryRun) return idle(payload);
    const { http: request } = await import('../functions/http/core.ts');
    const values = valuesOf(payload);
    return asJson(await request(payload, { ...services(payload, signal), values }));
  };
  const fragment =
    (name: 'run' | 'http_call'): LocalFunction =>
    async (given, call) => {
      if (dryRun) return idle(given as Payload);
      const { fragmentFunctions } = await import('./fragments.ts');
      for (const each of project.workflowNames()) project.workflow(each);
      return fragmentFunctions(context, { workflows: project.workflows, http })[name](given, call);
    };
  return {
    session: async (payload) => asJson(await session(payload as SessionPayload)),
    evaluate: async (given) => {
      const payload = given as Payload;
      // evaluate renders by itself: what it sees is rendered once more, only to be shown.
      const own = payload.op === 'page' || payload.op === 'gather';
      if (onParams !== undefined && !own) await rendering(requestOf(payload));
      const { evaluate } = await import('../functions/evaluate/core.ts');
      const values = valuesOf(payload);
      if (dryRun && !own) return asJson(await evaluateUnknown(payload, rendering, (given) => evaluate(given, values)));
      const answer = await evaluate(payload, values);
      const kind = kindOf(payload.op);
      if (kind !== 'poll' && kind !== 'service') return asJson(answer);
      const { withClientOptions, withoutClientOptions } = await import('./aws/client-options.ts');
      return asJson(kind === 'service' ? withoutClientOptions(answer) : withClientOptions(answer));
    },
    http,
    run: fragment('run'),
    http_call: fragment('http_call'),
    notify: async (given, { signal }) => {
      const payload = given as Payload;
      if (dryRun) return idle(payload);
      const [{ notify }, { projectFiles }, { claimHere }] = await Promise.all([
        import('../functions/notify/core.ts'),
        import('../functions/project-files.ts'),
        import('./claims.ts'),
      ]);
      const { root, workflow } = payload.b.attempt;
      const needed = {
        ...services(payload, signal),
        files: projectFiles(project.dir),
        claim: (_payload: Payload, key: string) => claimHere(root, key),
        about: () => ({ retry: `trowel run ${workflow} --resume` }),
        readValue: (_payload: Payload, reference: Reference) => valuesOf(payload).bytes(reference),
      };
      return asJson(await notify(payload, needed));
    },
  };
}

/** Resources of AWS, with the user's credentials; the SDK is loaded when the first one is called. */
function awsInvoke(project: string, store: SecretStore): Invoke {
  const secret: AwsOptions['secret'] = (key, mounts) => mounted(key, mounts as Mapping).then((name) => store.get(name));
  let loaded: Promise<Aws> | undefined;
  return async (call) => {
    loaded ??= import('./aws/aws.ts').then(({ aws }) => aws({ project, secret }));
    try {
      return await (await loaded).invoke(call);
    } catch (error) {
      if (call.signal.aborted || !(error instanceof Error)) throw error;
      throw new TaskError(error.name, seen.mask(error.message));
    }
  };
}

async function mounted(key: string, mounts: Mapping): Promise<string> {
  const { remount } = await import('../functions/http/secrets.ts');
  return remount(key, mounts);
}

function asJson(value: unknown): Json {
  return value as Json;
}

function requestOf({ l, seen = l, b, t, k }: Payload): RenderRequest {
  return { layers: seen, builtins: b.vars, task: t, keys: k };
}

/** Resources of AWS in a dry run. */
function skipped(skip: () => void): Invoke {
  return async () => {
    skip();
    return {};
  };
}

/** A `_timeout` that only a run gives is none. */
function withoutLimits(rendering: typeof render): typeof render {
  return async (request) => {
    const rendered = await rendering(request);
    if (!rendered.ok || !isUnknown(rendered.keys._timeout)) return rendered;
    const { _timeout: _, ...keys } = rendered.keys;
    return { ...rendered, keys };
  };
}

function showingParams(
  rendering: typeof render,
  onParams: (task: string, params: Mapping) => void,
): (request: RenderRequest) => Promise<RenderResult> {
  return async (request) => {
    const rendered = await rendering(request);
    if (rendered.ok) onParams(request.task, rendered.params);
    return rendered;
  };
}

/** Whether a task of the workflow, or of one it requires, needs Python: then it is made ready before anything runs. */
export function needsPython(compiled: Compiled): boolean {
  const runsCode = Object.values(compiled.tasks).some(({ operator }) => codeOf(operator) !== undefined);
  return runsCode || compiled.required.length > 0;
}

export interface PythonRequest {
  readonly project: Project;
  readonly env: NodeJS.ProcessEnv;
  readonly maxTasks?: number | undefined;
  /** A debugger needs the terminal. */
  readonly foreground: boolean;
  readonly debugging: boolean;
  readonly dryRun: boolean;
}

/** The project's Python, not yet started. */
export function pythonOf({ project, env, maxTasks, foreground, debugging, dryRun }: PythonRequest): PythonHost {
  const Host = dryRun ? IdlePython : PythonHost;
  return new Host({
    project: project.dir,
    python: project.config.python,
    env,
    foreground,
    ...(!dryRun && { containers: debugging ? 'debug' : project.config.containers }),
    ...(maxTasks !== undefined && { maxTasks }),
  });
}
