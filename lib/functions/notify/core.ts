/**
 * mail>, slack> and notify>: a message to people. Pure but for the network, as http> is, and built on its parts.
 */

import { isMapping } from '../../asl/json.ts';
import { badInput } from '../../contract/errors.ts';
import type { ErrorOutput } from '../../contract/failure.ts';
import type { Layer, Payload, StoreResult } from '../../contract/payload.ts';
import { storeResult } from '../../contract/stores.ts';
import { cut } from '../../expression/mask.ts';
import type { Destination } from '../../language/operators/spec.ts';
import { sends } from '../../language/operators.ts';
import type { Value } from '../../language/workflow.ts';
import type { HttpServices } from '../http/core.ts';
import { mergeDefaults, text } from '../http/options.ts';
import { renderTask, type Task, withoutSecrets } from '../http/rendering.ts';
import { escapeText, slackMessage, slackText } from './blocks.ts';
import { type Channel, type Claim, deliver } from './delivery.ts';
import { failureMark } from './execution-ended.ts';
import { type MailServices, mail, sendMail } from './mail.ts';
import { plainText, subjectLine } from './plain-text.ts';
import { failureReport, innermost, type Report } from './report.ts';
import { postToSlack, type SlackServices, slack } from './slack.ts';

export interface NotifyServices extends HttpServices, MailServices, SlackServices {
  /** What the task prints. */
  log(line: string): void;
  /** `notifications` of trowel.yml, for notify>. */
  notifications?: Notifications;
  /** Deployed, the topic to which the project's addresses subscribe; then notify> sends no mail itself. */
  publish?(subject: string, message: string): Promise<void>;
  /** The right to report a failure, which all handlers around it share; undefined if another has it. */
  claim?(payload: Payload, key: string): Promise<Claim | undefined>;
  /** What a message about a failure says about the attempt. */
  about?(payload: Payload): { readonly attempt?: string; readonly execution?: string; readonly retry?: string };
  /** A text in the value store. */
  readText?(uri: string): Promise<string | undefined>;
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
  const destination = sends(payload.op);
  if (destination === undefined) throw badInput(`Unknown operator for notify: ${payload.op}`);
  const shown = SHOWN[destination];
  const task = await renderTask(payload, services, shown && [`${payload.op}>`, '_command', ...shown]);
  await withoutSecrets(task, () => SENDERS[destination](payload, task, services));
  return storeResult(payload, {});
}

type Sender = (payload: Payload, task: Task, services: NotifyServices) => Promise<void>;

/** Keys, besides the value, in which text from expressions is escaped. */
const SHOWN: { readonly [to in Destination]: readonly string[] | undefined } = {
  slack: ['blocks', 'attachments'],
  mail: ['body'],
  notification: undefined,
};

const SENDERS: { readonly [to in Destination]: Sender } = { mail, slack, notification: toProject };

/**
 * notify>: its text is printed, and sent where trowel.yml says. In a handler the message also reports the failure, so that the handlers
 * around it do not.
 */
async function toProject(payload: Payload, task: Task, services: NotifyServices): Promise<void> {
  const message = task.marks.unmark(text(task.params, '_command') ?? text(task.params, `${task.operator}>`) ?? '');
  services.log(message);
  const error = errorIn(payload.l);
  if (error === undefined) {
    const report: Report = { kind: 'failure', title: '', text: message, fields: [], links: [] };
    await deliver(
      report,
      ONCE,
      await channelsOf(
        payload,
        task,
        services,
        () => ({ text: escapeText(slackText(message)) }),
        () => message,
      ),
    );
    return;
  }
  const claim = services.claim === undefined ? ONCE : await services.claim(payload, failureMark(error));
  if (claim === undefined) {
    services.log('An inner handler has sent a message about this failure.');
    return;
  }
  const failure = innermost(error);
  const traceback = failure.traceback === undefined ? undefined : await services.readText?.(failure.traceback);
  const { workflow } = payload.b.attempt;
  const report = failureReport({
    workflow,
    status: 'FAILED',
    session: text(payload.b.vars, 'session_time'),
    attempt: text(payload.b.vars, 'attempt_id') ?? '',
    // `+main+load^error+tell` handles the failure of `+main+load`, or of a task in it.
    task: failure.task ?? payload.t.replace(/\^error.*$/s, ''),
    failure,
    traceback,
    text: message,
    ...services.about?.(payload),
  });
  await deliver(report, claim, await channelsOf(payload, task, services, slackMessage, plainText));
}

/** For a message that only this task sends. */
const ONCE: Claim = { delivered: new Set(), done: async () => {}, release: async () => {} };

async function channelsOf(
  payload: Payload,
  task: Task,
  services: NotifyServices,
  asSlack: (report: Report) => ReturnType<typeof slackMessage>,
  asText: (report: Report) => string,
): Promise<Channel[]> {
  const { slack: key, email = [] } = services.notifications ?? {};
  const { publish } = services;
  const firstLine = ({ text: given = '' }: Report): string => given.split('\n')[0] ?? '';
  const channels: Channel[] = [];
  if (key !== undefined) {
    const send = async (report: Report): Promise<void> =>
      postToSlack(await task.secrets.required(key), asSlack(report), task.secrets, services);
    channels.push({ name: 'slack', send });
  }
  if (publish !== undefined) {
    const send = (report: Report): Promise<void> =>
      publish(subjectLine(`${payload.t}: ${firstLine(report)}`), asText(report));
    channels.push({ name: 'topic', send });
  }
  if (email.length > 0) {
    const params = mergeDefaults({}, task.params.mail);
    const send = async (report: Report): Promise<void> => {
      const subject = text(params, 'subject') ?? cut(`${payload.t}: ${firstLine(report)}`, 200);
      await sendMail({ ...params, subject, to: [...email], html: false }, asText(report), task, services);
    };
    channels.push({ name: 'email', send });
  }
  return channels;
}

/** The failure that the nearest `_error` around a task handles. */
function errorIn(layers: readonly Layer[]): ErrorOutput | undefined {
  const layer = layers.findLast((one) => Array.isArray(one) && one.length === 2 && isErrorOutput(one[0].error));
  return Array.isArray(layer) ? (layer[0].error as ErrorOutput) : undefined;
}

function isErrorOutput(value: Value | undefined): boolean {
  return isMapping(value) && ('Error' in value || 'Cause' in value);
}
