import { present } from '../../asl/present.ts';
import type { Compiled } from '../../compiler/compile.ts';
import type { Invoke } from '../../engine/types.ts';
import { codeOf } from '../../language/operators.ts';
import type { Project } from '../../language/project.ts';
import type { Mapping } from '../../language/workflow.ts';
import { awsInvoke } from '../aws/invoke.ts';
import { IdlePython } from '../dry-run.ts';
import { nativeFunctions } from '../functions/index.ts';
import { renderingOf } from '../rendering.ts';
import type { RunOptions } from '../run/run-options.ts';
import { SecretStore } from '../secrets.ts';
import { PythonHost } from '../workers/python-host.ts';
import type { RunRequest, RunServices } from './run-request.ts';

/** Those of a run's options that say with what it runs, whichever workflow that is. */
export type RunHost = Pick<
  RunOptions,
  'project' | 'functions' | 'render' | 'aws' | 'python' | 'secrets' | 'secretCommand' | 'taskTimeout' | 'pickle'
>;

/** Nothing is started yet. @param onParams is given what each task sees, when it is rendered */
export function runHost(
  project: Project,
  request: Pick<RunRequest, 'dryRun' | 'maxTasks' | 'debug' | 'debugPort'>,
  services: Pick<RunServices, 'env' | 'secretCommand'>,
  onParams?: (task: string, params: Mapping) => void,
): RunHost {
  const { env = process.env } = services;
  const store = new SecretStore(project.dir, env);
  const { render, launched, skip } = renderingOf(request.dryRun === true, onParams);
  const secretCommand = (key: string) =>
    services.secretCommand?.(key, project.dir) ?? `trowel secrets --local --set ${key}`;
  const shows = onParams !== undefined;
  return {
    project: project.dir,
    functions: (context) => nativeFunctions({ project, env, context, render, shows, skip, secretCommand }),
    render: launched,
    python: pythonOf(project, request, env, skip),
    // A dry run must not fail for want of what it does not use.
    secrets: skip === undefined ? store : { get: async () => undefined, missing: async () => [] },
    secretCommand,
    taskTimeout: project.config.task.timeout,
    pickle: project.config.values.pickle,
    aws: skip === undefined ? awsInvoke(project.dir, store) : skipping(skip),
  };
}

/** Whether a task of the workflow, or of one that it requires, needs Python: then it is made ready before anything runs. */
export function needsPython(compiled: Compiled): boolean {
  const runsCode = Object.values(compiled.tasks).some(({ operator }) => codeOf(operator) !== undefined);
  return runsCode || compiled.required.length > 0;
}

function pythonOf(
  project: Project,
  { maxTasks, debug, debugPort }: Pick<RunRequest, 'maxTasks' | 'debug' | 'debugPort'>,
  env: NodeJS.ProcessEnv,
  skip: (() => void) | undefined,
): PythonHost {
  const options = {
    project: project.dir,
    python: project.config.python,
    env,
    // A debugger needs the terminal.
    foreground: debug !== undefined && debugPort === undefined,
    ...present({ maxTasks }),
  };
  if (skip === undefined) {
    return new PythonHost({ ...options, containers: debug === undefined ? project.config.containers : 'debug' });
  }
  const idle = new IdlePython(options);
  idle.onSkip = skip;
  return idle;
}

/** Resources of AWS in a dry run. */
function skipping(skip: () => void): Invoke {
  return async () => {
    skip();
    return {};
  };
}
