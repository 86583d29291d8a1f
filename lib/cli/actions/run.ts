import { isAbsolute, relative, sep } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { present } from '../../asl/present.ts';
import { findProject } from '../../language/find-project.ts';
import type { RunRequest, RunServices } from '../../local/start/run-request.ts';
import { type StartedRun, startRun } from '../../local/start/start-run.ts';
import { ENVIRONMENT } from '../../local/workers/compute.ts';
import { EXIT } from '../exit-codes.ts';
import { commandLine } from '../render/invocation.ts';
import { reportDiagnostics } from '../render/report-diagnostics.ts';
import { chooseFormat, type RunReader, readRun } from '../render/run.ts';
import { openTaskLogs } from '../render/task-logs.ts';
import type { Terminal } from '../terminal.ts';
import { givenParams, type ParamFlags } from './given-params.ts';
import { onInterrupt } from './interruption.ts';

/** As commander gives them. Names are digdag's. */
export interface RunFlags extends ParamFlags {
  readonly project?: string;
  readonly session?: string;
  readonly sessionTime?: string;
  readonly timezone?: string;
  readonly start?: string;
  readonly goal?: string;
  readonly end?: string;
  readonly rerun?: true;
  readonly resume?: true;
  readonly fromLast?: true;
  readonly rerunChanged?: true;
  readonly dryRun?: true;
  readonly showParams?: true;
  readonly save: string | false;
  readonly taskLog?: string;
  readonly maxTaskThreads?: number;
  readonly json?: true;
  readonly debug?: string;
  readonly debugPort?: number;
}

/** Per cent by which V8 lets the heap grow before it collects all garbage; by itself it waits until there is four times what is used. */
const HEAP_GROWTH = 40;

export async function runWorkflow(
  terminal: Terminal,
  workflow: string | undefined,
  task: string | undefined,
  flags: RunFlags,
): Promise<number> {
  setFlagsFromString(`--heap-growing-percent=${HEAP_GROWTH}`);
  const request = await requestOf(terminal.cwd, workflow, task, flags);
  const { debug, debugPort } = request;
  const interruption = onInterrupt(debug !== undefined && debugPort === undefined);
  let run: StartedRun | undefined;
  try {
    const started = await startRun(request, servicesOf(terminal, interruption.signal));
    if (started.refused !== undefined) {
      if (started.fault !== undefined) throw started.fault;
      return EXIT[started.refused];
    }
    run = started;
    const reader = readerOf(terminal, request, run, flags.json === true);
    interruption.show(reader, run);
    return await show(run, reader, flags.taskLog);
  } finally {
    interruption.end();
    run?.kill();
  }
}

function servicesOf(terminal: Terminal, signal: AbortSignal): RunServices {
  const { cwd, env } = terminal;
  return {
    env,
    signal,
    onDiagnostics: (diagnostics, { dir, sources }) =>
      reportDiagnostics(terminal, { sources }, { folder: dir, shown: relative(cwd, dir) }, diagnostics),
    onNotice: (message) => void terminal.stderr.write(`${message}\n`),
    secretCommand: (key, folder) =>
      commandLine(env, ['secrets', '--local', '--set', key, ...projectWords(cwd, folder)]),
  };
}

function readerOf(terminal: Terminal, request: RunRequest, run: StartedRun, json: boolean): RunReader {
  const kept = request.save !== false && !request.dryRun;
  const resume = kept ? commandLine(terminal.env, resumeWords(request)) : undefined;
  // A live tree would draw over a debugger.
  const format = request.debug === undefined ? chooseFormat(terminal, json) : 'plain';
  return readRun(format, terminal, {
    outline: run.outline,
    dryRun: request.dryRun === true,
    ...present({ sessionNote: run.note, resume }),
    showPath: (path) => fromHere(terminal.cwd, path),
  });
}

async function requestOf(
  folder: string,
  workflow: string | undefined,
  task: string | undefined,
  flags: RunFlags,
): Promise<RunRequest> {
  const { param, paramsFile, session, sessionTime, maxTaskThreads, taskLog: _, json: __, rerun: ___, ...same } = flags;
  return {
    ...same,
    folder,
    workflow,
    task,
    session: session ?? sessionTime,
    params: await givenParams(folder, { param, paramsFile }),
    maxTasks: maxTaskThreads,
  };
}

async function show(run: StartedRun, reader: RunReader, taskLog: string | undefined): Promise<number> {
  const logs = taskLog === undefined ? undefined : openTaskLogs(taskLog);
  for await (const event of run.events) {
    if (event.type === 'task-output') logs?.append(event.task, event.text);
    await reader.handle(event);
  }
  const { status, error } = await run.done;
  await reader.finish();
  if (status === 'interrupted') return EXIT.interrupted;
  if (error === ENVIRONMENT) return EXIT.environment;
  return status === 'succeeded' ? EXIT.ok : EXIT.failed;
}

/** `--project DIR`, where the command would not find the project by itself. */
function projectWords(cwd: string, folder: string): string[] {
  return findProject(cwd, {}).folder === folder ? [] : ['--project', relative(cwd, folder) || '.'];
}

/** Relative where that is shorter to read. */
function fromHere(cwd: string, path: string): string {
  const way = relative(cwd, path);
  return way === '' || isAbsolute(way) || way.startsWith(`..${sep}..`) ? path : way;
}

function resumeWords({ workflow, task, project, save, fromLast }: RunRequest): string[] {
  return [
    'run',
    ...(workflow === undefined ? [] : [workflow]),
    ...(project === undefined ? [] : ['--project', project]),
    ...(typeof save !== 'string' || save === '.trowel' ? [] : ['--save', save]),
    ...(fromLast && task !== undefined ? [task, '--from-last'] : ['--resume']),
  ];
}
