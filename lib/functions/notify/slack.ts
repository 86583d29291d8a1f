import { isMapping } from '../../asl/json.ts';
import { present } from '../../asl/present.ts';
import { badInput, taskFailed } from '../../contract/errors.ts';
import type { Payload } from '../../contract/payload.ts';
import { type Marks, mapTexts } from '../../expression/marks.ts';
import { cut, seen } from '../../expression/mask.ts';
import type { Mapping, Value } from '../../language/workflow.ts';
import type { HttpServices } from '../http/core.ts';
import { NoResponse } from '../http/no-response.ts';
import { boolean, mergeDefaults, nested, text } from '../http/options.ts';
import { proxyFor } from '../http/proxy.ts';
import type { Task } from '../http/rendering.ts';
import { deliver } from '../http/retry.ts';
import type { Response } from '../http/send.ts';
import { escapeText, withinLimits } from './blocks.ts';
import { readableError } from './readable-error.ts';

/** Seconds for an answer, which takes Slack less than one; then it is tried again. */
const TIMEOUT = 10;
/** Characters of an answer that are read, and characters of it that are shown, with secrets hidden. */
const KEPT = 64 * 1024;
const SHOWN = 200;
/** Characters of an address's path that are hidden wherever they appear: fewer are no secret. */
const LEAST_PATH = 12;

/** Fields of a webhook's message that a task may have next to slack>. */
const FIELDS = ['blocks', 'attachments', 'channel', 'username', 'icon_emoji', 'icon_url', 'thread_ts', 'mrkdwn'];

/**
 * slack>: TEXT, or a mapping that is the whole message. `webhook` (or `url`) is the address, usually `${secret:…}`; without it the
 * secret `slack.webhook`. Defaults come from `slack:`.
 */
export async function slack(_payload: Payload, task: Task, services: SlackServices): Promise<void> {
  const params = mergeDefaults(task.params, task.params.slack);
  const fill = <T extends Mapping[string]>(value: T): Promise<T> =>
    task.marks.fill(value, (asked) => task.secrets.asked(asked));
  const given = text(params, 'webhook') ?? text(params, 'url');
  const webhook = given === undefined ? await task.secrets.required('slack.webhook') : await fill(given);
  task.secrets.hide(webhook);

  const command = params._command ?? params[`${task.operator}>`] ?? null;
  const message: Mapping = isMapping(command) ? { ...command } : { text: text({ command }, 'command') ?? '' };
  for (const field of FIELDS) {
    const value = parsed(params[field], task.marks);
    if (value !== undefined && value !== null && !(field in message)) message[field] = value;
  }
  // The place decides, so that what a task has stored cannot decide whether it is escaped.
  const readable = readableError(task.params);
  const escaping = boolean(task.keys, 'escape', true);
  const change = (inserted: string): string => (escaping ? escapeText(readable(inserted)) : readable(inserted));
  await postToSlack(
    webhook,
    withinLimits(seen.maskAll(withoutMarks(message, task.marks, change, escaping))),
    task.secrets,
    services,
  );
}

/**
 * A text that is JSON is its value. What expressions gave stays within the texts into which the author put it, whatever signs it has; where
 * that gives no JSON, an expression gave some of the structure: then all of it counts as given.
 */
function parsed(value: Value | undefined, marks: Marks): Value | undefined {
  if (typeof value !== 'string') return value;
  const written = nested(marks.changed(value, (given) => marks.enclosed(JSON.stringify(given).slice(1, -1))));
  if (typeof written !== 'string') return written;
  const data = nested(marks.unmark(value));
  return typeof data === 'string' ? value : mapTexts(data ?? null, (each) => marks.enclosed(each));
}

/** Elements of a rich text that ping people. */
const PINGING = new Set(['broadcast', 'usergroup', 'user']);

/** Fields that are no text for people: in an address or a name, `&amp;` would be another one. */
const NO_TEXT = /^(type|style|channel|thread_ts|ts|color|emoji|icon_emoji|value|mrkdwn(_in)?|.*(url|_link|_icon|_id))$/;

/** The message without marks; what expressions gave to its texts is escaped. */
function withoutMarks(
  message: Mapping,
  marks: Marks,
  change: (inserted: string) => string,
  escaping: boolean,
): Mapping {
  const walk = (value: Value, field: string): Value => {
    if (typeof value === 'string') return NO_TEXT.test(field) ? marks.unmark(value) : marks.changed(value, change);
    if (Array.isArray(value)) return value.map((item) => walk(item, field));
    if (!isMapping(value)) return value;
    const entries = Object.entries(value).map(([key, inner]) => [marks.unmark(key), inner] as const);
    const type = entries.find(([key]) => key === 'type')?.[1];
    if (escaping && typeof type === 'string' && marks.wholly(type) && PINGING.has(marks.unmark(type).trim())) {
      return { type: 'text', text: change(JSON.stringify(marks.unmark(value))) };
    }
    // The value of an attachment's field is shown, that of a button is not.
    const isField = entries.some(([key]) => key === 'title');
    return Object.fromEntries(
      entries.map(([key, inner]) => [key, walk(inner, isField && key === 'value' ? 'text' : key)]),
    );
  };
  return walk(message, '') as Mapping;
}

/** Hides secrets in what is printed and thrown. */
export interface Redaction {
  redact(text: string): string;
}

export interface SlackServices extends Pick<HttpServices, 'env' | 'log' | 'signal' | 'patience' | 'sleep' | 'reach'> {
  /** Seconds for an answer; default TIMEOUT. */
  answerWithin?: number;
}

/** Posts a message; Slack's limits of rate and passing faults are waited out. The address is a secret and never shown. */
export async function postToSlack(
  webhook: string,
  message: Mapping,
  secrets: Redaction,
  services: SlackServices,
): Promise<void> {
  const url = URL.canParse(webhook) ? new URL(webhook) : undefined;
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:') {
    throw badInput('The Slack webhook is not an http or https address');
  }
  // A server that does not know the address says it without the host.
  const path = url.pathname + url.search;
  if (path.length >= LEAST_PATH) seen.add(path);
  const request = {
    url,
    method: 'POST',
    headers: [
      ['content-type', 'application/json; charset=utf-8'],
      ['user-agent', 'Trowel'],
    ] as const,
    body: JSON.stringify(message),
    proxy: proxyFor(url, {}, services.env ?? {}),
    insecure: false,
    followRedirects: false,
    timeout: services.answerWithin ?? TIMEOUT,
    keep: KEPT,
    signal: services.signal,
    reach: services.reach ?? { loopback: true },
  };
  let response: Response;
  try {
    response = await deliver(request, true, {
      ...present({ patience: services.patience, sleep: services.sleep }),
      again: (reason, seconds) => services.log?.(secrets.redact(`Slack: ${reason}; trying again in ${seconds} s`)),
    });
  } catch (error) {
    if (!(error instanceof NoResponse)) throw error;
    throw taskFailed(secrets.redact(`Slack did not get the message: ${error.message}`));
  }
  if (response.status < 200 || response.status >= 300) {
    const said = cut(secrets.redact(response.content), SHOWN);
    throw taskFailed(`Slack refused the message: ${response.status} ${said}`.trim());
  }
}
