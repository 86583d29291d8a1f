/**
 * The first state of every machine: checks the execution's input and makes the session's parameters and built-in variables. Pure: what
 * it knows is in the payload, here as on AWS.
 */

import { createHash } from 'node:crypto';
import { isMapping } from '../../asl/json.ts';
import { present } from '../../asl/present.ts';
import { ERRORS, TrowelError } from '../../contract/errors.ts';
import type { Attempt, SessionPayload, SessionResult } from '../../contract/payload.ts';
import { checkVersion } from '../../contract/protocol.ts';
import { merged } from '../../contract/stores.ts';
import { cut } from '../../expression/mask.ts';
import { formatSessionTime, parseTime, sessionTimeFor, sessionVariables } from '../../expression/session.ts';
import { encode, findMark, isInteger } from '../../language/value-form.ts';
import type { Mapping, Value } from '../../language/workflow.ts';
import { deadline } from './deadline.ts';

/** The execution's input. All keys are optional; any other key is a fault. */
interface Input {
  /** `2030-01-31T00:00:00+09:00`, `2030-01-31 00:00:00`, `2030-01-31` (in the workflow's zone), or a word of `--session`. */
  session_time?: string;
  params?: Mapping;
  /** `params` are as values travel already (lib/language/value-form.ts): from the command line, or a require>. */
  encoded?: boolean;
  /** Roots of earlier attempts whose results are taken over, nearest first. On AWS, names of executions. */
  resume_from?: string | string[];
  rerun_changed?: boolean;
  retry_attempt_name?: string;
  /** Given by the local runner, which counts them; deployed they are made from the execution's name. */
  session_id?: number;
  attempt_id?: number;
  /** Folder of this attempt. By default `attempts/<execution's name>`. */
  root?: string;
}

const CHECKS: { readonly [Key in keyof Input]-?: readonly [(value: Value) => boolean, string] } = {
  session_time: [(value) => typeof value === 'string', 'a text such as "2030-01-31T00:00:00+09:00"'],
  params: [isMapping, 'a mapping'],
  encoded: [(value) => typeof value === 'boolean', 'true or false'],
  resume_from: [
    (value) => isText(value) || (Array.isArray(value) && value.every(isText)),
    'an attempt or a list of attempts',
  ],
  rerun_changed: [(value) => typeof value === 'boolean', 'true or false'],
  retry_attempt_name: [isText, 'a text'],
  session_id: [Number.isSafeInteger, 'an integer'],
  attempt_id: [Number.isSafeInteger, 'an integer'],
  root: [isText, 'a text'],
};

/** Throws Trowel.BadInput, whose message names every fault of the input. */
export async function session(payload: SessionPayload): Promise<SessionResult> {
  checkVersion(payload);
  const { workflow, timezone, execution } = payload;
  const faults: string[] = [];
  const input = checkInput(payload.input, faults);
  const sessionTime = readSessionTime(payload, input, faults);
  if (faults.length > 0 || sessionTime === undefined) {
    throw new TrowelError(ERRORS.badInput, `The execution's input is wrong: ${faults.join('; ')}`);
  }

  const params = merged(payload.defaults ?? {}, paramsOf(input));
  const key = `${workflow} ${formatSessionTime(sessionTime, 'UTC')}`;
  const vars = sessionVariables({
    timezone,
    sessionTime,
    params,
    ...present({ schedule: payload.schedule }),
    ids: {
      session_uuid: uuidOf(key),
      session_id: input.session_id ?? numberOf(key),
      project_id: 1,
      attempt_id: input.attempt_id ?? attemptNumber(execution.Name),
      ...present({ retry_attempt_name: input.retry_attempt_name }),
    },
  });
  const resume = typeof input.resume_from === 'string' ? [input.resume_from] : input.resume_from;
  const attempt: Attempt = {
    root: input.root ?? `attempts/${execution.Name}`,
    ...present({ resume: resume === undefined || resume.length === 0 ? undefined : resume }),
    ...(input.rerun_changed === true && { rerunChanged: true }),
    workflow,
    ...present({ sla: payload.sla === undefined ? undefined : deadline(payload.sla, timezone, execution.StartTime) }),
  };
  return { params, b: { vars, attempt } };
}

function checkInput(input: Value, faults: string[]): Input {
  if (input === null) return {};
  if (!isMapping(input)) {
    faults.push(`expected a mapping, got ${shown(input)}`);
    return {};
  }
  const good: Mapping = {};
  for (const [key, value] of Object.entries(input)) {
    const check = Object.hasOwn(CHECKS, key) ? CHECKS[key as keyof Input] : undefined;
    if (check === undefined)
      faults.push(`unknown key '${key}' (known: ${Object.keys(CHECKS).join(', ')}; variables belong under params)`);
    else if (!check[0](value)) faults.push(`expected ${check[1]} for '${key}', got ${shown(value)}`);
    else good[key] = value;
  }
  return good as Input;
}

/** The only marks from outside are integers: values in files belong to a run. */
function paramsOf({ params = {}, encoded = false }: Input): Mapping {
  const kept = encoded ? findMark(params, (mark) => !isInteger(mark)) : undefined;
  if (kept !== undefined)
    throw new TrowelError(
      ERRORS.badInput,
      `The execution's input is wrong: params.${kept.path.join('.')} is a value of another run`,
    );
  if (encoded) return params;
  const changed = largeNumber(params, 'params');
  if (changed === undefined) return encode(params);
  throw new TrowelError(
    ERRORS.badInput,
    `The execution's input is wrong: ${changed} is an integer beyond 2^53, of which JSON here keeps no more than 16 digits; give it as text, or by \`trowel start -P\``,
  );
}

/** The place of a number that was not read exactly. */
function largeNumber(value: Value, at: string): string | undefined {
  if (typeof value === 'number')
    return Number.isInteger(value) && !Number.isSafeInteger(value) && Math.abs(value) < 1e21 ? at : undefined;
  if (value === null || typeof value !== 'object') return undefined;
  for (const [key, item] of Object.entries(value)) {
    const found = largeNumber(item, `${at}.${key}`);
    if (found !== undefined) return found;
  }
  return undefined;
}

function readSessionTime(
  { timezone, schedule, execution }: SessionPayload,
  input: Input,
  faults: string[],
): number | undefined {
  const now = parseTime(execution.StartTime, 'UTC');
  if (now === undefined)
    throw new TrowelError(ERRORS.badInput, `Expected a time for the execution's StartTime, got ${execution.StartTime}`);
  const context = { timezone, now, ...present({ schedule }) };
  const result = sessionTimeFor(input.session_time ?? 'last', context);
  if (result.ok) return result.time;
  faults.push(`session_time: ${result.message}`);
  return undefined;
}

function isText(value: Value): value is string {
  return typeof value === 'string' && value !== '';
}

function shown(value: Value): string {
  const text = JSON.stringify(value);
  return cut(text, 101);
}

/** `attempt_id` of the execution of that name; deployed, attempts are not counted. */
export function attemptNumber(execution: string): number {
  return numberOf(execution);
}

/** A number for a text: 48 bits, so that JavaScript, Python and JSONata hold it exactly. */
function numberOf(text: string): number {
  return createHash('sha256').update(text).digest().readUIntBE(0, 6);
}

/** The same session of the same workflow always has the same UUID (version 8, made from a hash). */
function uuidOf(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
