/**
 * From a request to a run: compiles the workflow, chooses the session, makes Python ready, starts. Whoever asks (the command line, a page,
 * a test) reads the events.
 */

import { resolve } from 'node:path';
import { present } from '../../asl/present.ts';
import type { CompiledWorkflow } from '../../compiler/compile-project.ts';
import { findTask } from '../../compiler/select-tasks.ts';
import type { RunEvent } from '../../events/run-event.ts';
import type { Diagnostic } from '../../language/diagnostic.ts';
import { type FaultKind, RequestFault, usageFault } from '../../language/request-fault.ts';
import type { Mapping, Workflow } from '../../language/workflow.ts';
import { withoutWaits } from '../dry-run.ts';
import { HistoryError } from '../history/history-error.ts';
import { paramsText } from '../rendering.ts';
import { Run } from '../run/run.ts';
import type { RunOptions, RunResult } from '../run/run-options.ts';
import { isWithin } from '../taken.ts';
import { type AskedRun, readRequest } from './asked-run.ts';
import { chooseSession } from './choose-session.ts';
import { outlineOf } from './outline.ts';
import { preparePython } from './prepare-python.ts';
import { needsPython, runHost } from './run-host.ts';
import { checkRequest, type RunRequest, type RunServices } from './run-request.ts';
import { shownEvents } from './shown-events.ts';

export interface StartedRun {
  readonly refused?: undefined;
  /** Warnings. */
  readonly diagnostics: readonly Diagnostic[];
  /** Full names of the tasks that are to come, as far as the files say. */
  readonly outline: readonly string[];
  /** Says which session it is, where one might expect another. */
  readonly note: string | undefined;
  readonly events: AsyncIterable<RunEvent>;
  /** When everything has ended: tasks' processes, workers, files. Never rejects for what a user did. */
  readonly done: Promise<RunResult>;
  /** Each task's process tree is ended, politely first. */
  stop(): void;
  /** At once. */
  kill(): void;
  /** Adds an event for the readers. */
  notice(message: string): void;
}

export interface RefusedRun {
  readonly refused: FaultKind;
  /** What is wrong in the files. */
  readonly diagnostics: readonly Diagnostic[];
  /** What is wrong with the request, or with this machine. */
  readonly fault?: RequestFault;
}

/** Faults of the request, of the files and of the machine are values. */
export async function startRun(request: RunRequest, services: RunServices = {}): Promise<StartedRun | RefusedRun> {
  const diagnostics: Diagnostic[] = [];
  const onDiagnostics: RunServices['onDiagnostics'] = async (found, project) => {
    diagnostics.push(...found);
    await services.onDiagnostics?.(found, project);
  };
  try {
    checkRequest(request);
    const asked = await readRequest(request);
    await onDiagnostics(asked.compiling.diagnostics, asked.project);
    const { compiled, workflow } = asked.compiling;
    if (compiled === undefined || workflow === undefined) return { refused: refusalOf(diagnostics), diagnostics };
    const started = await start({ ...asked, compiled, workflow }, request, { ...services, onDiagnostics });
    return { ...started, diagnostics };
  } catch (error) {
    if (!(error instanceof RequestFault)) throw error;
    return { refused: error.kind, diagnostics, fault: error };
  }
}

/** A pattern that names no task is a fault of the request, not of the workflow. */
function refusalOf(diagnostics: readonly Diagnostic[]): FaultKind {
  return diagnostics.some(({ code }) => code === 'task-pattern') ? 'usage' : 'failed';
}

type ReadyRun = AskedRun & Required<Pick<CompiledWorkflow, 'compiled' | 'workflow'>>;

async function start(
  asked: ReadyRun,
  request: RunRequest,
  services: RunServices,
): Promise<Omit<StartedRun, 'diagnostics'>> {
  const { project, name, compiled, workflow, params, timezone, only, required } = asked;
  const dryRun = request.dryRun === true;
  const kept = request.save !== false && !dryRun;
  const historyFolder = kept ? resolve(project.dir, request.save ?? '.trowel') : undefined;
  const { note, ...session } = chooseSession(workflow, timezone, historyFolder, request, params);
  const debug = debugOf(workflow, request);
  let run: Run | undefined;
  const onParams = (task: string, seen: Mapping): void => run?.notice(paramsText(task, seen));
  const host = runHost(project, request, services, request.showParams ? onParams : undefined);
  const stop = stoppedBy(services.signal);
  if (needsPython(compiled)) await preparePython(host.python, project, stop.signal, services);
  run = newRun({
    ...host,
    ...session,
    workflow: name,
    compiled: dryRun ? withoutWaits(compiled) : compiled,
    required,
    params,
    rerunChanged: request.rerunChanged === true,
    signal: stop.signal,
    ...present({ only, historyFolder, debug, onHistory: services.onHistory }),
  });
  return {
    outline: outlineOf(workflow, project.workflows).filter((each) => only === undefined || isWithin(each, only)),
    note,
    events: shownEvents(run, dryRun, only),
    done: run.result,
    stop: () => stop.abort(),
    kill: () => run.kill(),
    notice: (message) => run.notice(message),
  };
}

/** That the history cannot be written before the first task is no fault of the run. */
function newRun(options: RunOptions): Run {
  try {
    return new Run(options);
  } catch (error) {
    options.python.destroy();
    if (!(error instanceof HistoryError)) throw error;
    const notes = ['--save DIR keeps it elsewhere; --no-save keeps none, and --resume is then not possible'];
    throw new RequestFault('environment', error.message, notes, error);
  }
}

function stoppedBy(signal: AbortSignal | undefined): AbortController {
  const stop = new AbortController();
  if (signal?.aborted) stop.abort();
  signal?.addEventListener('abort', () => stop.abort(), { once: true });
  return stop;
}

function debugOf({ root }: Workflow, { debug, debugPort: port }: RunRequest): RunOptions['debug'] {
  if (debug === undefined) return undefined;
  const how = port === undefined ? { mode: 'pdb' } : { mode: 'debugpy', port };
  const found = findTask(root, debug);
  // What a loop generates has no name here; written in full it is found when it runs.
  if ('code' in found && debug.includes('^')) return { task: debug, how };
  if ('code' in found) throw usageFault(found.message, ...found.notes);
  return { task: [root, ...found.path].map(({ name }) => name).join(''), how };
}
