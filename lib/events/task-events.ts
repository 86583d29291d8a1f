/**
 * From what happened in states (the engine's history, or AWS's GetExecutionHistory: same words, values there as JSON text) to what
 * happened to tasks. The compiler's table says which states are tasks; which task it was in a loop is in the events: a function's
 * payload has it as `t`, a Pass gives it out as `t`, a Wait takes it in as `t`.
 */
import { isMapping } from '../asl/json.ts';
import { present } from '../asl/present.ts';
import type { Json } from '../asl/types.ts';
import { ERRORS } from '../contract/errors.ts';
import { failureOf } from '../contract/failure.ts';
import type { TaskInfo, TaskTable } from '../contract/task-info.ts';
import type { HistoryEvent } from '../engine/history.ts';
import { kindOf } from '../language/operators.ts';
import { parsed, textOf } from './history-value.ts';
import type { RunEvent } from './run-event.ts';

type Object_ = { readonly [key: string]: Json };

/** An entry of a state that is a task. */
interface Entry {
  readonly info: TaskInfo;
  readonly state: string;
  task: string | undefined;
  began: number;
  tries: number;
  failure: { readonly error: string; readonly cause: string } | undefined;
  /** Task-retrying was reported since the last failure. */
  retrying: boolean;
  output: Json;
}

/** One execution's events to RunEvents. The caller numbers attempts, so run-started and run-ended are not made here. */
export class TaskEvents {
  readonly #tasks: TaskTable;
  readonly #entries = new Map<string, Entry>();
  /** Tasks that ask again and again, by what the states of one have in common: when they began, and their name. */
  readonly #polling = new Map<string, { readonly began: number; readonly task: string }>();
  /** On AWS: the StateEntered event that an event belongs to. */
  readonly #chain = new Map<string, string>();
  readonly #logFile: (task: string) => string | undefined;

  /** @param logFile where the output of a task is kept */
  constructor(tasks: TaskTable, logFile: (task: string) => string | undefined = () => undefined) {
    this.#tasks = tasks;
    this.#logFile = logFile;
  }

  /** The events of tasks that an event of a state means; mostly none. */
  translate(event: HistoryEvent): RunEvent[] {
    const entered = event.stateEnteredEventDetails;
    if (entered !== undefined) return this.#enter(event, entered.name, entered.input);
    if (event.type.startsWith('Execution')) return this.#endAll(event);
    const key = this.#entryKey(event);
    const entry = this.#entries.get(key);
    if (entry === undefined) return [];
    const exited = event.stateExitedEventDetails;
    if (exited !== undefined) {
      this.#entries.delete(key);
      const { role } = entry.info;
      if (role === 'prepares') return this.#prepared(event, entry);
      if (role === 'polls') return this.#polled(event, entry, exited.output, exited.assignedVariables);
      return this.#exit(event, entry, exited.output, exited.assignedVariables);
    }
    const told = this.#during(event, entry, key);
    if (entry.info.role === 'prepares') return [];
    return entry.info.role === 'polls' ? this.#firstPoll(entry, told) : told;
  }

  /** A state that renders for the one after it: its failure is the task's. */
  #prepared(event: HistoryEvent, entry: Entry): RunEvent[] {
    if (entry.failure === undefined) return [];
    return [started(event, { ...entry, tries: 0 }), this.#failed(event, entry, entry.failure)];
  }

  /** If a task polls, only its first start is reported. */
  #firstPoll(entry: Entry, told: readonly RunEvent[]): RunEvent[] {
    const key = pollKey(entry);
    if (this.#polling.has(key) || told.length === 0) return [];
    this.#polling.set(key, { began: entry.began, task: nameOf(entry) });
    return told.filter(({ type }) => type === 'task-started');
  }

  /** The states of a poll: the request, and the Choices that judge. What is not there yet is no failure. */
  #polled(event: HistoryEvent, entry: Entry, output: Json, assigned: Object_ | undefined): RunEvent[] {
    const key = pollKey(entry);
    const { began = entry.began, task = nameOf(entry) } = this.#polling.get(key) ?? {};
    const asked = { ...entry, began, task };
    const out = parsed(output);
    const over = isMapping(out) && out.over === true;
    const choice = event.type === 'ChoiceStateExited';
    const gaveUp = choice && !over ? failureAssigned(assigned) : undefined;
    // If require> started an execution and lost it, the Choice after it decides.
    const missing =
      entry.failure !== undefined && (kindOf(entry.info.operator) === 'session' || NOT_FOUND.test(entry.failure.error));
    if (missing || (choice && gaveUp === undefined && !over)) return [];
    this.#polling.delete(key);
    if (gaveUp !== undefined) return [this.#failed(event, asked, { error: ERRORS.taskFailed, cause: gaveUp })];
    if (entry.failure !== undefined) return [this.#failed(event, asked, entry.failure)];
    return [{ type: 'task-succeeded', time: timeOf(event), task, seconds: secondsOf(event, asked) }];
  }

  #enter(event: HistoryEvent, state: string, input: Json): RunEvent[] {
    const key = keyOf(event, event.id);
    if (event.stateEntry === undefined) this.#chain.set(key, key);
    const info = Object.hasOwn(this.#tasks, state) ? this.#tasks[state] : undefined;
    if (info === undefined) return [];
    const entry: Entry = {
      info,
      state,
      task: info.task ?? nameIn(input),
      began: millis(event),
      tries: 0,
      failure: undefined,
      retrying: false,
      output: null,
    };
    this.#entries.set(key, entry);
    return event.type === 'WaitStateEntered' ? [started(event, entry)] : [];
  }

  #during(event: HistoryEvent, entry: Entry, key: string): RunEvent[] {
    const scheduled = event.taskScheduledEventDetails;
    if (scheduled !== undefined) {
      const parameters = parsed(scheduled.parameters);
      entry.task = entry.info.task ?? nameIn(isMapping(parameters) ? (parameters.Payload ?? null) : null) ?? entry.task;
      const again = entry.tries > 0 && !entry.retrying ? [retrying(event, entry, 0)] : [];
      return [...again, started(event, entry)];
    }
    const succeeded = event.taskSucceededEventDetails;
    if (succeeded !== undefined) {
      entry.failure = undefined;
      entry.output = parsed(succeeded.output);
      return [];
    }
    const retry = event.retryScheduledEventDetails;
    if (retry !== undefined) {
      entry.failure = failureIn(retry);
      entry.retrying = true;
      return [retrying(event, entry, retry.seconds)];
    }
    const failed = event.taskFailedEventDetails ?? event.taskTimedOutEventDetails ?? event.evaluationFailedEventDetails;
    if (failed !== undefined) {
      entry.failure = failureIn(failed, event.type === 'TaskTimedOut' ? 'States.Timeout' : 'States.TaskFailed');
      entry.retrying = false;
      return [];
    }
    if (event.type.endsWith('StateAborted')) {
      this.#entries.delete(key);
      return entry.tries === 0 ? [] : [this.#failed(event, entry, ABORTED)];
    }
    return [];
  }

  #exit(event: HistoryEvent, entry: Entry, output: Json, assigned: Object_ | undefined): RunEvent[] {
    const kind = kindOf(entry.info.operator);
    const out = parsed(output);
    entry.task ??= nameIn(out);
    const begin = entry.tries === 0 ? [started(event, entry)] : [];
    if (entry.failure !== undefined) return [...begin, this.#failed(event, entry, entry.failure)];
    if (kind === 'failure') {
      const told = textOf(out, 'fail') ?? textOf(payloadOf(entry.output), 'text') ?? failureAssigned(assigned);
      return [...begin, this.#failed(event, entry, { error: ERRORS.taskFailed, cause: told ?? '' })];
    }
    const said = kind === 'print' ? (textOf(out, 'echo') ?? textOf(payloadOf(entry.output), 'text')) : undefined;
    const time = timeOf(event);
    const task = nameOf(entry);
    const said1: RunEvent[] = said === undefined ? [] : [{ type: 'task-output', time, task, text: `${said}\n` }];
    const replayed = isMapping(payloadOf(entry.output)) && (payloadOf(entry.output) as Object_).replayed === true;
    const seconds = secondsOf(event, entry);
    return [
      ...begin,
      ...said1,
      { type: 'task-succeeded', time, task, seconds, ...present({ replayed: replayed || undefined }) },
    ];
  }

  /** The execution is over: what has not left its state by then has failed, or was stopped. */
  #endAll(event: HistoryEvent): RunEvent[] {
    if (event.type === 'ExecutionStarted') return [];
    const ended = [...this.#entries.values()].filter((entry) => entry.tries > 0 || entry.failure !== undefined);
    this.#entries.clear();
    this.#chain.clear();
    return ended.map((entry) => this.#failed(event, entry, entry.failure ?? ABORTED));
  }

  #failed(event: HistoryEvent, entry: Entry, failure: { readonly error: string; readonly cause: string }): RunEvent {
    const task = nameOf(entry);
    const {
      message,
      stacktrace,
      log = this.#logFile(task),
      exit,
    } = failureOf({ Error: failure.error, Cause: inner(failure.cause) });
    return {
      type: 'task-failed',
      time: timeOf(event),
      task,
      seconds: secondsOf(event, entry),
      error: failure.error,
      message,
      ...present({ stacktrace, log, exit: typeof exit === 'number' ? exit : undefined }),
    };
  }

  #entryKey(event: HistoryEvent): string {
    if (event.stateEntry !== undefined) return keyOf(event, event.stateEntry);
    const key = this.#chain.get(keyOf(event, event.previousEventId)) ?? '';
    this.#chain.set(keyOf(event, event.id), key);
    return key;
  }
}

/** Errors of a request for what is not there (yet). */
const NOT_FOUND = /NoSuchKey|NotFound/;

function pollKey({ info, state }: Entry): string {
  return info.task ?? info.at ?? state;
}

const ABORTED = { error: 'States.Aborted', cause: 'The run was stopped' };

function started(event: HistoryEvent, entry: Entry): RunEvent {
  entry.tries += 1;
  entry.began = millis(event);
  entry.retrying = false;
  const { operator, at } = entry.info;
  const common = {
    type: 'task-started',
    time: timeOf(event),
    task: nameOf(entry),
    operator,
    try: entry.tries,
  } as const;
  return at === undefined ? common : { ...common, at };
}

function retrying(event: HistoryEvent, entry: Entry, seconds: number): RunEvent {
  const { error, cause } = entry.failure ?? { error: 'States.TaskFailed', cause: '' };
  const { message } = failureOf({ Error: error, Cause: cause });
  return { type: 'task-retrying', time: timeOf(event), task: nameOf(entry), seconds, error, message };
}

function failureIn(
  details: { readonly error?: string; readonly cause?: string },
  otherwise = 'States.TaskFailed',
): { error: string; cause: string } {
  return { error: details.error ?? otherwise, cause: details.cause ?? '' };
}

/** The cause of a failed child execution holds its description: the child's own cause says more. */
function inner(cause: string): string {
  const description = parsed(cause);
  if (!isMapping(description) || typeof description.ExecutionArn !== 'string') return cause;
  return typeof description.Cause === 'string' ? inner(description.Cause) : String(description.Error ?? cause);
}

/** `{Error, Cause}` that a fail> assigns for its handlers. */
function failureAssigned(assigned: Object_ | undefined): string | undefined {
  for (const value of Object.values(assigned ?? {})) {
    const failure = parsed(value);
    if (isMapping(failure) && 'Error' in failure) return typeof failure.Cause === 'string' ? failure.Cause : '';
  }
  return undefined;
}

/** A function's answer: what a lambda:invoke gives is wrapped, what a task token brings is not. */
function payloadOf(output: Json): Json {
  return isMapping(output) && 'Payload' in output ? (output.Payload ?? null) : output;
}

function nameIn(value: Json): string | undefined {
  return textOf(parsed(value), 't');
}

function nameOf(entry: Entry): string {
  return entry.task ?? entry.state;
}

function keyOf(event: HistoryEvent, id: number): string {
  return event.execution === undefined ? String(id) : `${event.execution.arn} ${id}`;
}

/** The engine gives milliseconds, the AWS SDK a Date. */
function millis(event: HistoryEvent): number {
  return new Date(event.timestamp).getTime();
}

function timeOf(event: HistoryEvent): string {
  return new Date(event.timestamp).toISOString();
}

function secondsOf(event: HistoryEvent, entry: Entry): number {
  return (millis(event) - entry.began) / 1000;
}
