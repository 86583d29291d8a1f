/**
 * mail>, slack> and notify>: a message to people. Pure but for the network, as http> is, and built on its parts.
 */

import { storeResult } from '../../lib/expression/stores.ts';
import type { Payload, StoreResult } from '../../lib/expression/wire.ts';
import type { HttpServices } from '../http/core.ts';
import { badInput } from '../http/failure.ts';
import { mergeDefaults, text } from '../http/options.ts';
import { renderTask, type Task, withoutSecrets } from '../http/rendering.ts';
import { type MailServices, mail, sendMail } from './mail.ts';
import { postToSlack, slack } from './slack.ts';

export interface NotifyServices extends HttpServices, MailServices {
  /** What the task prints. */
  log(line: string): void;
  /** `notifications` of trowel.yml, for notify>. */
  notifications?: Notifications;
  /** Deployed, the topic to which the project's addresses subscribe; then notify> sends no mail itself. */
  publish?(subject: string, message: string): Promise<void>;
}

export interface Notifications {
  /** The secret that holds an incoming webhook's URL (`slack: secret:KEY` without its prefix). */
  readonly slack?: string;
  readonly email?: readonly string[];
}

/**
 * Delivers what the payload's operator says; stores nothing.
 * Throws Trowel.Template, Trowel.BadInput, Trowel.Secret, or Trowel.TaskFailed if a server refuses the message or none answers.
 */
export async function notify(payload: Payload, services: NotifyServices): Promise<StoreResult> {
  const task = await renderTask(payload, services);
  const operator = OPERATORS[payload.op];
  if (operator === undefined) throw badInput(`Unknown operator for notify: ${payload.op}`);
  await withoutSecrets(task, () => operator(payload, task, services));
  return storeResult(payload, {});
}

type Operator = (payload: Payload, task: Task, services: NotifyServices) => Promise<void>;

const OPERATORS: { readonly [op: string]: Operator } = { mail, slack, notify: toProject };

/** notify>: printed, and sent where trowel.yml says. */
async function toProject(payload: Payload, task: Task, services: NotifyServices): Promise<void> {
  const message = task.templates.unmark(text(task.params, '_command') ?? text(task.params, 'notify>') ?? '');
  services.log(message);
  const { slack: key, email = [] } = services.notifications ?? {};
  if (key !== undefined) await postToSlack(await task.secrets.required(key), { text: message }, task, services);
  const [firstLine = ''] = message.split('\n');
  if (services.publish !== undefined) await services.publish(topicSubject(`${payload.t}: ${firstLine}`), message);
  if (email.length > 0) {
    const params = mergeDefaults({}, task.params.mail);
    const subject = text(params, 'subject') ?? `${payload.t}: ${firstLine}`.slice(0, 200);
    await sendMail({ ...params, subject, to: [...email], html: false }, message, task, services);
  }
}

/** SNS takes fewer than 100 characters of ASCII, no control characters. */
function topicSubject(text: string): string {
  return text
    .replace(/[^\x20-\x7e]+/g, '?')
    .trim()
    .slice(0, 99);
}
