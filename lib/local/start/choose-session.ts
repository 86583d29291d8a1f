/** Which session a run is of: a new one, that of the last attempt, or that of an attempt that it continues. */
import { present } from '../../asl/present.ts';
import { merged } from '../../contract/stores.ts';
import { formatSessionTime, parseTime, sessionTimeFor } from '../../expression/session.ts';
import { usageFault } from '../../language/request-fault.ts';
import type { Mapping, Workflow } from '../../language/workflow.ts';
import type { AttemptInfo } from '../history/attempt-info.ts';
import { lastUnsuccessful, listAttempts } from '../history/attempts.ts';
import { lastAttempt } from './from-last.ts';
import type { RunRequest } from './run-request.ts';

export interface ChosenSession {
  /** In digdag's form. */
  readonly sessionTime: string;
  /** The attempt that is continued, with the parameters that it has now. */
  readonly resume?: AttemptInfo;
  /** Of a session that is that of the last attempt, though a new one has come since. */
  readonly note?: string;
}

/**
 * Throws a RequestFault if there is nothing to continue, or no such session.
 * @param folder of the history; absent: there is none
 * @param params all of the session, for a new one and over those of an attempt that is continued
 */
export function chooseSession(
  workflow: Workflow,
  projectZone: string,
  folder: string | undefined,
  request: RunRequest,
  params: Mapping,
): ChosenSession {
  if (!request.resume && !request.fromLast) return newSession(workflow, projectZone, folder, request);
  const session = sessionOf(request, workflow.timezone ?? projectZone);
  const found = request.resume
    ? unsuccessful(workflow.name, folder, session)
    : lastAttempt(folder, workflow.name, session);
  const resume = request.params === undefined ? found : { ...found, params: merged(found.params, params) };
  return { sessionTime: found.session_time, resume };
}

function unsuccessful(name: string, folder: string | undefined, session: string | undefined): AttemptInfo {
  const found = folder === undefined ? undefined : lastUnsuccessful(folder, name, session);
  if (found !== undefined) return found;
  const last = folder === undefined ? undefined : attemptsOf(folder, name).at(-1);
  throw usageFault(
    'there is nothing to resume',
    last === undefined
      ? `No attempt of ${name} is recorded`
      : `The last attempt of ${name}, ${last.attempt}, is ${last.status}`,
  );
}

/** The time that is asked for, as attempts have it. */
function sessionOf({ session }: RunRequest, timezone: string): string | undefined {
  const time = session === undefined ? undefined : parseTime(session, timezone);
  return time === undefined ? undefined : formatSessionTime(time, timezone);
}

function newSession(
  { name, timezone: own, schedule }: Workflow,
  projectZone: string,
  folder: string | undefined,
  { session: value = 'last' }: RunRequest,
): ChosenSession {
  const timezone = own ?? projectZone;
  const context = { timezone, now: Date.now(), ...present({ schedule }) };
  const lastSession = value === 'last' && folder !== undefined ? latestSession(folder, name) : undefined;
  const chosen = sessionTimeFor(value, { ...context, ...present({ lastSession }) });
  if (!chosen.ok) throw usageFault(`--session ${value}: ${chosen.message}`);
  const sessionTime = formatSessionTime(chosen.time, timezone);
  const fresh = lastSession === undefined ? undefined : sessionTimeFor('last', context);
  if (fresh === undefined || !fresh.ok || fresh.time === lastSession) return { sessionTime };
  const word = schedule === undefined ? 'daily' : 'schedule';
  const newer = formatSessionTime(fresh.time, timezone);
  const short = schedule === undefined ? newer.slice(0, '2030-01-31'.length) : newer;
  return { sessionTime, note: `session as in the last attempt; for ${short}: --session ${word}` };
}

/** digdag takes the newest session, not that of the newest attempt. */
function latestSession(folder: string, name: string): number | undefined {
  const times = attemptsOf(folder, name).flatMap(({ session_time }) => parseTime(session_time, 'UTC') ?? []);
  return times.length === 0 ? undefined : Math.max(...times);
}

function attemptsOf(folder: string, name: string): AttemptInfo[] {
  return listAttempts(folder).filter(({ workflow }) => workflow === name);
}
