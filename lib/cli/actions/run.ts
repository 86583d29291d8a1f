import { isAbsolute, relative, resolve, sep } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { stringify } from 'yaml';
import { type CompiledWorkflow, compileWorkflow } from '../../compiler/compile-project.ts';
import { findTask } from '../../compiler/select-tasks.ts';
import { merged } from '../../contract/stores.ts';
import { formatSessionTime, parseTime, sessionTimeFor } from '../../expression/session.ts';
import { findProject, findWorkflow, type Place } from '../../language/find-project.ts';
import { loadProject, type Project } from '../../language/project.ts';
import { RequestFault, usageFault } from '../../language/request-fault.ts';
import { zoneHint, zoneOf } from '../../language/timezone.ts';
import { decode } from '../../language/value-form.ts';
import type { Mapping, Workflow } from '../../language/workflow.ts';
import { withoutFailures, wouldPrint } from '../../local/dry-run.ts';
import { lastAttempt, taskName, withoutOthers } from '../../local/from-last.ts';
import type { AttemptInfo } from '../../local/history/attempt-info.ts';
import { lastUnsuccessful, listAttempts } from '../../local/history/attempts.ts';
import { HistoryError } from '../../local/history/history-error.ts';
import type { Run } from '../../local/run.ts';
import { sessionParams } from '../../local/session-params.ts';
import { type LocalRun, needsPython, pythonOf, startLocalRun } from '../../local/start-run.ts';
import { isWithin } from '../../local/taken.ts';
import { ENVIRONMENT } from '../../local/workers/compute.ts';
import { EnvironmentError, type PythonHost } from '../../local/workers/python-host.ts';
import { EXIT } from '../exit-codes.ts';
import { commandLine } from '../render/invocation.ts';
import { outlineOf } from '../render/outline.ts';
import { reportDiagnostics } from '../render/report-diagnostics.ts';
import { chooseFormat, type RunReader, readRun } from '../render/run.ts';
import { openTaskLogs } from '../render/task-logs.ts';
import type { Terminal } from '../terminal.ts';
import { givenParams, type ParamFlags } from './given-params.ts';

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

export interface RunCommand {
  readonly workflow: string | undefined;
  readonly task: string | undefined;
  readonly flags: RunFlags;
}

/** Per cent by which V8 lets the heap grow before it collects all garbage; by itself it waits until there is four times what is used. */
const HEAP_GROWTH = 40;

export async function runWorkflow(terminal: Terminal, command: RunCommand): Promise<number> {
  setFlagsFromString(`--heap-growing-percent=${HEAP_GROWTH}`);
  const { workflow: argument, task, flags } = command;
  refuseContradictions(flags, task);
  const place = findProject(terminal.cwd, { ...flags, workflow: argument });
  const name = findWorkflow(terminal.cwd, place, argument, flags.project);
  const project = await loadProject(place.folder, { workflows: [name] });
  const given = await sessionParams(project, await givenParams(terminal.cwd, flags));
  const timezone = flags.timezone ?? project.config.timezone;
  const whole = project.workflow(name);
  const only = flags.fromLast && task !== undefined && whole !== undefined ? taskName(whole, task) : undefined;
  const compiling = await compileWorkflow(project, name, {
    ...(only === undefined ? selectionOf(task, flags) : { goal: only }),
    timezone,
    params: given,
    limits: 'warning',
    ...(flags.dryRun && { adapt: withoutFailures }),
    ...(only !== undefined && {
      adapt: (each: Workflow) => (each.name === name ? withoutOthers(each, only) : each),
    }),
  });
  await reportDiagnostics(terminal, project, place, compiling.diagnostics);
  const { compiled, workflow } = compiling;
  if (compiled === undefined || workflow === undefined) return failureOf(compiling);

  const historyFolder = flags.save === false || flags.dryRun ? undefined : resolve(place.folder, flags.save);
  const zone = workflow.timezone ?? timezone;
  const resume = flags.resume
    ? resumed(name, historyFolder, flags, zone, given)
    : flags.fromLast
      ? taken(name, historyFolder, flags, zone, given)
      : undefined;
  const session = resume ?? chooseSession(workflow, timezone, historyFolder, flags);
  const debug = debugOf(workflow, flags);
  const python = pythonOf({
    project,
    env: terminal.env,
    maxTasks: flags.maxTaskThreads,
    foreground: debug !== undefined && debug.port === undefined,
    debugging: debug !== undefined,
    dryRun: flags.dryRun === true,
  });
  const stop = new AbortController();
  const interruption = onInterrupt(stop, python, debug !== undefined && debug.port === undefined);
  try {
    if (needsPython(compiled)) await preparePython(terminal, project, place, python);
    const run = startRecorded({
      project,
      workflow: name,
      compiled,
      required: async (other) =>
        (
          await compileWorkflow(project, other, {
            timezone,
            params: given,
            limits: 'warning',
            ...(flags.dryRun && { adapt: withoutFailures }),
          })
        ).compiled,
      sessionTime: session.session_time,
      params: given,
      dryRun: flags.dryRun === true,
      rerunChanged: flags.rerunChanged === true,
      secretCommand: (key) =>
        commandLine(terminal.env, ['secrets', '--local', '--set', key, ...projectWords(terminal, place)]),
      env: terminal.env,
      python,
      signal: stop.signal,
      ...(resume !== undefined && { resume }),
      ...(only !== undefined && { only }),
      ...(historyFolder !== undefined && { historyFolder }),
      ...(debug !== undefined && { debug }),
      ...(flags.showParams && { onParams: paramsPrinter((text) => run.notice(text)) }),
    });
    const canResume = historyFolder !== undefined;
    const reader = readRun(debug === undefined ? chooseFormat(terminal, flags.json === true) : 'plain', terminal, {
      outline: outlineOf(workflow, project.workflows).filter((each) => only === undefined || isWithin(each, only)),
      dryRun: flags.dryRun === true,
      ...('note' in session && session.note !== undefined && { sessionNote: session.note }),
      ...(canResume && { resume: commandLine(terminal.env, resumeWords(command)) }),
      showPath: (path) => fromHere(terminal.cwd, path),
    });
    interruption.show(reader, run);
    const { status, error } = await follow(run, reader, flags, only);
    await reader.finish();
    if (status === 'interrupted') return EXIT.interrupted;
    if (error === ENVIRONMENT) return EXIT.environment;
    return status === 'succeeded' ? EXIT.ok : EXIT.failed;
  } finally {
    interruption.end();
    python.destroy();
  }
}

/** What hinders the history before the first task is no fault of the run. */
function startRecorded(options: LocalRun): Run {
  try {
    return startLocalRun(options);
  } catch (error) {
    if (!(error instanceof HistoryError)) throw error;
    const notes = ['--save DIR keeps it elsewhere; --no-save keeps none, and --resume is then not possible'];
    throw new RequestFault('environment', error.message, notes, error);
  }
}

async function follow(
  run: Run,
  reader: RunReader,
  flags: RunFlags,
  only: string | undefined,
): ReturnType<() => Run['result']> {
  const logs = flags.taskLog === undefined ? undefined : openTaskLogs(flags.taskLog);
  for await (const event of run) {
    // Of the other tasks only whose results were taken is of interest, and what went wrong.
    const other = only !== undefined && 'task' in event && !isWithin(event.task, only);
    if (other && event.type !== 'task-failed' && !(event.type === 'task-succeeded' && event.replayed)) continue;
    if (event.type === 'task-output' && flags.dryRun) {
      // Nothing runs, so nothing is printed: it is only told.
      const { time, task, text } = event;
      await reader.handle({ type: 'notice', time, message: wouldPrint(task, text) });
      continue;
    }
    if (event.type === 'task-output') logs?.append(event.task, event.text);
    await reader.handle(event);
  }
  return run.result;
}

function refuseContradictions(flags: RunFlags, task: string | undefined): void {
  if (flags.resume && flags.save === false) throw usageFault('--resume needs the history that --no-save does not keep');
  if (
    flags.fromLast &&
    (task === undefined || flags.start !== undefined || flags.goal !== undefined || flags.end !== undefined)
  ) {
    throw usageFault('--from-last needs one task: trowel run main.dig +task --from-last');
  }
  if (flags.fromLast && (flags.resume || flags.dryRun || flags.save === false)) {
    throw usageFault('--from-last does not go together with --resume, --dry-run or --no-save');
  }
  if (flags.rerunChanged && !flags.resume) throw usageFault('--rerun-changed needs --resume');
  if (flags.debugPort !== undefined && flags.debug === undefined) throw usageFault('--debug-port needs --debug +task');
  if (flags.timezone !== undefined && zoneOf(flags.timezone) === undefined) {
    throw usageFault(`--timezone ${flags.timezone}: no such time zone`, zoneHint(flags.timezone));
  }
}

function selectionOf(only: string | undefined, { start, goal, end }: RunFlags) {
  return {
    ...(only !== undefined && { only }),
    ...(start !== undefined && { start }),
    ...(goal !== undefined && { goal }),
    ...(end !== undefined && { end }),
  };
}

/** A pattern without a task is a fault of the command line, not of the workflow. */
function failureOf({ diagnostics }: CompiledWorkflow): number {
  return diagnostics.some(({ code }) => code === 'task-pattern') ? EXIT.usage : EXIT.failed;
}

/** The attempt to go on with, under its own session and parameters, but for those that are given anew. */
function resumed(
  name: string,
  folder: string | undefined,
  flags: RunFlags,
  timezone: string,
  given: Mapping,
): AttemptInfo {
  const found = folder === undefined ? undefined : lastUnsuccessful(folder, name, sessionOf(flags, timezone));
  if (found !== undefined) return withGiven(found, flags, given);
  const last =
    folder === undefined
      ? undefined
      : listAttempts(folder)
          .filter(({ workflow }) => workflow === name)
          .at(-1);
  throw usageFault(
    'there is nothing to resume',
    last === undefined
      ? `No attempt of ${name} is recorded`
      : `The last attempt of ${name}, ${last.attempt}, is ${last.status}`,
  );
}

/** The attempt whose values are taken, under its session and parameters, but for those that are given anew. */
function taken(
  name: string,
  folder: string | undefined,
  flags: RunFlags,
  timezone: string,
  given: Mapping,
): AttemptInfo {
  return withGiven(lastAttempt(folder, name, sessionOf(flags, timezone)), flags, given);
}

/** The time of `--session`, as attempts have it. */
function sessionOf({ session }: RunFlags, timezone: string): string | undefined {
  const time = session === undefined ? undefined : parseTime(session, timezone);
  return time === undefined ? undefined : formatSessionTime(time, timezone);
}

function withGiven(attempt: AttemptInfo, { param, paramsFile }: RunFlags, given: Mapping): AttemptInfo {
  if (param === undefined && paramsFile === undefined) return attempt;
  return { ...attempt, params: merged(attempt.params, given) };
}

interface ChosenSession {
  readonly session_time: string;
  /** Of a session that is that of the last attempt, though a new one has come since. */
  readonly note?: string;
}

function chooseSession(
  { name, timezone: own, schedule }: Workflow,
  projectZone: string,
  folder: string | undefined,
  flags: RunFlags,
): ChosenSession {
  const timezone = own ?? projectZone;
  const value = flags.session ?? flags.sessionTime ?? 'last';
  const context = { timezone, now: Date.now(), ...(schedule !== undefined && { schedule }) };
  const lastSession = value === 'last' && folder !== undefined ? latestSession(folder, name) : undefined;
  const chosen = sessionTimeFor(value, { ...context, ...(lastSession !== undefined && { lastSession }) });
  if (!chosen.ok) throw usageFault(`--session ${value}: ${chosen.message}`);
  const session_time = formatSessionTime(chosen.time, timezone);
  const fresh = lastSession === undefined ? undefined : sessionTimeFor('last', context);
  if (fresh === undefined || !fresh.ok || fresh.time === lastSession) return { session_time };
  const word = schedule === undefined ? 'daily' : 'schedule';
  const newer = formatSessionTime(fresh.time, timezone);
  const short = schedule === undefined ? newer.slice(0, '2030-01-31'.length) : newer;
  return { session_time, note: `session as in the last attempt; for ${short}: --session ${word}` };
}

/** digdag takes the newest session, not that of the newest attempt. */
function latestSession(folder: string, name: string): number | undefined {
  const times = listAttempts(folder)
    .filter(({ workflow }) => workflow === name)
    .flatMap(({ session_time }) => parseTime(session_time, 'UTC') ?? []);
  return times.length === 0 ? undefined : Math.max(...times);
}

function debugOf({ root }: Workflow, { debug, debugPort }: RunFlags): { task: string; port?: number } | undefined {
  if (debug === undefined) return undefined;
  const found = findTask(root, debug);
  // What a loop generates has no name here; written in full it is found when it runs.
  if ('code' in found && debug.includes('^'))
    return { task: debug, ...(debugPort !== undefined && { port: debugPort }) };
  if ('code' in found) throw usageFault(found.message, ...found.notes);
  const task = [root, ...found.path].map(({ name }) => name).join('');
  return { task, ...(debugPort !== undefined && { port: debugPort }) };
}

/** Before anything runs: what is missing, or cannot be installed, ends the command with exit code 4. */
async function preparePython(terminal: Terminal, project: Project, place: Place, python: PythonHost): Promise<void> {
  python.onNotice = (message) => void terminal.stderr.write(`${message}\n`);
  try {
    await python.pool();
  } catch (error) {
    if (!(error instanceof EnvironmentError)) throw error;
    const { span, message, notes } = error.diagnostic;
    if (span === undefined) throw new RequestFault('environment', message, notes);
    await reportDiagnostics(terminal, project, place, [error.diagnostic]);
    throw new RequestFault('environment', 'the Python environment cannot be made');
  }
}

/** `--project DIR`, where the command would not find the project by itself. */
function projectWords(terminal: Terminal, place: Place): string[] {
  return findProject(terminal.cwd, {}).folder === place.folder ? [] : ['--project', place.shown || '.'];
}

/** Relative where that is shorter to read. */
function fromHere(cwd: string, path: string): string {
  const way = relative(cwd, path);
  return way === '' || isAbsolute(way) || way.startsWith(`..${sep}..`) ? path : way;
}

function resumeWords({ workflow, task, flags }: RunCommand): string[] {
  return [
    'run',
    ...(workflow === undefined ? [] : [workflow]),
    ...(flags.project === undefined ? [] : ['--project', flags.project]),
    ...(flags.save === false || flags.save === '.trowel' ? [] : ['--save', flags.save]),
    ...(flags.fromLast && task !== undefined ? [task, '--from-last'] : ['--resume']),
  ];
}

function paramsPrinter(print: (text: string) => void): (task: string, params: Mapping) => void {
  return (task, params) =>
    print(
      `${task} sees\n${stringify(decode(params))
        .replace(/^(?=.)/gm, '  ')
        .trimEnd()}`,
    );
}

interface Interruption {
  show(reader: RunReader, run: Run): void;
  end(): void;
}

/** Milliseconds that a second Ctrl-C leaves for killing the tasks. */
const LAST_MOMENT_MS = 200;

/** The first signal stops the run in order, the second at once. Whatever happens, the terminal is given back. */
function onInterrupt(stop: AbortController, python: PythonHost, debugging: boolean): Interruption {
  let reader: RunReader | undefined;
  let run: Run | undefined;
  const giveBack = () => reader?.abandon();
  const interrupt = (signal: NodeJS.Signals) => {
    // Ctrl-C is the debugger's while it has the terminal.
    if (debugging && signal === 'SIGINT') return;
    if (run === undefined) {
      // An environment is being made; nothing runs yet.
      python.destroy();
      process.exit(EXIT.interrupted);
    }
    if (!stop.signal.aborted) {
      stop.abort();
      run.notice('Stopping the tasks; Ctrl-C again ends them at once');
      return;
    }
    giveBack();
    run.kill();
    void Promise.race([run.result, sleep(LAST_MOMENT_MS)]).then(() => process.exit(EXIT.interrupted));
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.on(signal, interrupt);
  process.on('exit', giveBack);
  return {
    show(shownReader, shownRun) {
      [reader, run] = [shownReader, shownRun];
    },
    end() {
      for (const signal of signals) process.off(signal, interrupt);
      process.off('exit', giveBack);
      giveBack();
    },
  };
}
