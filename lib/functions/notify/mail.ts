import type { SendMailOptions } from 'nodemailer';
import { isMapping } from '../../asl/json.ts';
import { present } from '../../asl/present.ts';
import { badInput, TrowelError, taskFailed } from '../../contract/errors.ts';
import type { Payload } from '../../contract/payload.ts';
import { cut, seen } from '../../expression/mask.ts';
import { encode, exactText, isReference, type Reference } from '../../language/value-form.ts';
import type { Mapping, Value } from '../../language/workflow.ts';
import { boolean, integer, mergeDefaults, nested, text } from '../http/options.ts';
import type { Task, Unrendered } from '../http/rendering.ts';
import type { ProjectFiles } from '../project-files.ts';
import { readableError } from './readable-error.ts';

/** Evaluates one text with a task's variables: the file that mail> names. */
export type RenderText = (
  text: string,
  params: Mapping,
) => Promise<{ readonly ok: true; readonly text: string } | Unrendered>;

export interface MailServices {
  renderText: RenderText;
  files: ProjectFiles;
  log(line: string): void;
  /** The content of a value by reference. Throws TrowelError for a value of another run. */
  readValue?(payload: Payload, reference: Reference): Promise<Buffer>;
  /** Sends a whole message where no server is named: deployed, through SES. Throws Trowel.TaskFailed if it is refused. */
  sendRaw?(mail: RawMail): Promise<void>;
}

export interface RawMail {
  readonly from: string;
  /** All recipients, those of bcc too. */
  readonly to: readonly string[];
  /** RFC 5322. */
  readonly raw: Buffer;
}

type Message = SendMailOptions & {
  readonly from: string;
  readonly to: string[];
  readonly cc: string[];
  readonly bcc: string[];
};

/** Bytes of a message, attachments and their encoding included: SES's limit. */
export const LARGEST_RAW = 40_000_000;

/**
 * mail>: FILE, a template in the project, or `{data: TEXT}`; the options are digdag's (MailOperatorFactory), next to the operator or in
 * `mail:`. In HTML, what expressions give is escaped.
 */
export async function mail(payload: Payload, task: Task, services: MailServices): Promise<void> {
  const { marks } = task;
  const marked = mergeDefaults(task.params, task.params.mail);
  // Subject, addresses and body take no secrets: the author's `${secret:…}` stays as written.
  const scope = marks.unmark(mergeDefaults(task.scope, task.scope.mail));
  const params = marks.unmark(marked);
  const files = await attachments(scope, (reference) => services.readValue?.(payload, reference), services);
  const content = await body(task, marked, params, scope, services);
  // The place decides, so that what a task has stored cannot decide whether it is escaped.
  const escaping = boolean(params, 'html', false) && boolean(task.keys, 'escape', true);
  const readable = readableError(task.params);
  const change = (inserted: string): string => (escaping ? escapeHtml(readable(inserted)) : readable(inserted));
  await sendMail(params, marks.changed(content, change), task, services, files);
}

/** The text, with marks around what expressions gave. `scope`: `params` as values travel. */
async function body(
  { operator, marks }: Task,
  marked: Mapping,
  params: Mapping,
  scope: Mapping,
  services: MailServices,
): Promise<string> {
  const command = marked._command ?? marked[`${operator}>`];
  if (isMapping(command)) {
    const data = text(command, 'data');
    if (data === undefined) throw badInput("Parameter 'data' is required but not set");
    return data;
  }
  const file = text(params, '_command') ?? text(params, `${operator}>`);
  if (file === undefined) {
    const given = text(marked, 'body');
    if (given === undefined) throw badInput("Parameter '_command' is required but not set");
    return given;
  }
  const template = (await services.files.read(file, text(params, '_workdir') ?? '')).toString('utf8');
  const rendered = await services.renderText(marks.inserted(template), scope);
  if (!rendered.ok) throw new TrowelError(rendered.error.name, `${marks.unmark(rendered.error.message)} in ${file}`);
  return rendered.text;
}

const ENTITIES: { readonly [character: string]: string } = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escapeHtml(inserted: string): string {
  return inserted.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? character);
}

/** Sends one message with the options in `params`; the server's are in secrets `mail.*`, which go before them. */
export async function sendMail(
  params: Mapping,
  content: string,
  task: Task,
  services: MailServices,
  files: readonly Attachment[] = [],
): Promise<void> {
  const to = addresses(params, 'to');
  const subject = text(params, 'subject');
  const from = text(params, 'from');
  const missing = Object.entries({ subject, from, to: to[0] }).filter(([, value]) => value === undefined);
  if (missing.length > 0) {
    const names = missing.map(([name]) => `'${name}'`).join(', ');
    throw badInput(`Parameter ${names} is required but not set: give it next to mail>, or in 'mail:' of an _export`);
  }
  const html = boolean(params, 'html', false);
  const message: Message = {
    from: address(from ?? '', 'from'),
    sender: address(from ?? '', 'from'),
    to: [...to],
    cc: addresses(params, 'cc'),
    bcc: addresses(params, 'bcc'),
    // Mail programs show only the first line of a header with several lines.
    subject: seen
      .mask(subject ?? '')
      .trim()
      .replaceAll(/\s*[\r\n]+\s*/g, ' '),
    ...(html ? { html: seen.mask(content) } : { text: seen.mask(content) }),
    attachments: [...files],
  };
  if ((await hostOf(params, task)) === undefined && services.sendRaw !== undefined)
    return services.sendRaw(await rawMail(message));
  return sendBySmtp(message, params, task, services);
}

/** The message as it is sent. Its bcc is only in the envelope; this transport would leave it in the message too. */
async function rawMail({ bcc, ...message }: Message): Promise<RawMail> {
  const { createTransport } = await import('nodemailer');
  const transport = createTransport({
    streamTransport: true,
    buffer: true,
    newline: 'windows',
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  const { from, to, cc } = message;
  const { message: raw, envelope } = await transport.sendMail({
    ...message,
    envelope: { from, to: [...to, ...cc, ...bcc] },
  });
  if (!Buffer.isBuffer(raw)) throw new Error('Expected the message as bytes');
  if (raw.length > LARGEST_RAW) {
    throw badInput(`The mail has ${raw.length} bytes with its attachments, SES takes ${LARGEST_RAW}`);
  }
  return { from: envelope.from === false ? '' : envelope.from, to: envelope.to, raw };
}

async function sendBySmtp(message: Message, params: Mapping, task: Task, services: MailServices): Promise<void> {
  const server = await smtpServer(params, task);
  const debug = boolean(params, 'debug', false);
  const say = (line: string): void => services.log(task.secrets.redact(line));
  const { createTransport } = await import('nodemailer');
  const transport = createTransport({
    ...server,
    connectionTimeout: 10_000,
    greetingTimeout: 10_000,
    socketTimeout: 60_000,
    disableFileAccess: true,
    disableUrlAccess: true,
    ...(debug && { debug: true, logger: transcript(say) }),
  });
  try {
    const sent = await transport.sendMail(message);
    if (sent.rejected.length > 0) {
      throw taskFailed(
        `The mail server refused these recipients, the others have the message: ${sent.rejected.join(', ')}`,
      );
    }
  } catch (error) {
    if (error instanceof Error && error.name.startsWith('Trowel.')) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw taskFailed(`Sending the mail through ${server.host}:${server.port} failed: ${reason}`);
  } finally {
    transport.close();
  }
}

/** If there is no server, or an empty one (which a parameter may give), SES sends, or an error says what is missing. */
async function hostOf(params: Mapping, task: Task): Promise<string | undefined> {
  const host = ((await task.secrets.shown('mail.host')) ?? text(params, 'host') ?? '').trim();
  return host === '' ? undefined : host;
}

async function smtpServer(params: Mapping, task: Task) {
  const secret = (key: string): Promise<string | undefined> => task.secrets.shown(`mail.${key}`);
  const host = await hostOf(params, task);
  if (host === undefined) {
    throw badInput(
      "Missing SMTP configuration: give 'host' and 'port' next to mail> or in 'mail:' of an _export, or the secrets mail.host and mail.port",
    );
  }
  const setting = async (key: string): Promise<Mapping> => ({ [key]: (await secret(key)) ?? params[key] ?? null });
  const ssl = boolean(await setting('ssl'), 'ssl', false);
  const tls = boolean(await setting('tls'), 'tls', true);
  const port = integer(await setting('port'), 'port') ?? (ssl ? 465 : tls ? 587 : 25);
  const user = (await task.secrets.optional('mail.username')) ?? text(params, 'username');
  const pass = (await task.secrets.optional('mail.password')) ?? text(params, 'password') ?? '';
  if (pass !== '') task.secrets.hide(pass);
  const local = /^(localhost|127\.\d+\.\d+\.\d+|::1)$/.test(host);
  return {
    host,
    port,
    // `ssl` is TLS from the first byte; `tls` is STARTTLS if the server offers it, as JavaMail's starttls.enable.
    secure: ssl,
    ignoreTLS: !tls,
    // A relay on this very machine has no certificate that anyone vouches for.
    ...(local && { tls: { rejectUnauthorized: false } }),
    ...present({ auth: user !== undefined ? { user, pass } : undefined }),
  };
}

/** A list, JSON text of one, or text with commas. */
function addresses(params: Mapping, key: string): string[] {
  const value = nested(params[key]) ?? [];
  const list: readonly Value[] = Array.isArray(value) ? value : [value];
  return list.map((entry) => address(text({ [key]: entry }, key) ?? '', key)).filter((entry) => entry !== '');
}

function address(entry: string, key: string): string {
  const trimmed = entry.trim();
  if (/[\r\n\0]/.test(trimmed)) throw badInput(`Invalid address for key '${key}': it has a line break`);
  if (trimmed !== '' && !trimmed.includes('@')) throw badInput(`Invalid address for key '${key}': '${trimmed}'`);
  return trimmed;
}

interface Attachment {
  readonly content: Buffer;
  readonly filename: string;
  readonly contentType: string;
}

const TYPES: { readonly [kind: string]: string } = {
  json: 'application/json',
  table: 'application/json',
  parquet: 'application/vnd.apache.parquet',
};

/** `attach_files`: files of the project (`path`), and values of earlier tasks (`value: ${name}`), by reference or as text. */
async function attachments(
  params: Mapping,
  read: (reference: Reference) => Promise<Buffer | undefined> | undefined,
  services: MailServices,
): Promise<Attachment[]> {
  const list = given(params.attach_files) ?? [];
  if (!Array.isArray(list)) throw badInput("Expected a list for key 'attach_files'");
  const workdir = text(params, '_workdir') ?? '';
  return Promise.all(
    list.map(async (entry) => {
      const shown = cut(JSON.stringify(entry), 200);
      if (!isMapping(entry)) throw badInput(`Parameter 'path' is required but not set in attach_files: ${shown}`);
      const filename = text(entry, 'filename');
      const contentType = text(entry, 'content_type');
      const path = text(entry, 'path');
      if (path !== undefined) {
        return {
          content: await services.files.read(path, workdir),
          filename: filename ?? path.slice(path.lastIndexOf('/') + 1),
          contentType: contentType ?? 'application/octet-stream',
        };
      }
      const value = given(entry.value);
      if (value === undefined || value === null) {
        throw badInput(`Parameter 'path' or 'value' is required but not set in attach_files: ${shown}`);
      }
      if (isReference(value)) {
        const content = await read(value);
        if (content === undefined) throw badInput(`A value of attach_files is not of this run: ${shown}`);
        const { kind } = value;
        const own = value.name === undefined ? `value.${EXTENSIONS[kind] ?? 'bin'}` : String(value.name);
        return {
          content,
          filename: filename ?? own,
          contentType: contentType ?? TYPES[kind] ?? 'application/octet-stream',
        };
      }
      const content = typeof entry.value === 'string' ? entry.value : exactText(value);
      return {
        content: Buffer.from(content),
        filename: filename ?? 'value.txt',
        contentType: contentType ?? 'text/plain; charset=utf-8',
      };
    }),
  );
}

/** A text that is JSON is data, whatever it looks like: a value in a file comes as itself. */
function given(value: Value | undefined): Value | undefined {
  const data = nested(value);
  return typeof value === 'string' && data !== undefined ? encode(data) : data;
}

const EXTENSIONS: { readonly [kind: string]: string } = { json: 'json', table: 'json', parquet: 'parquet' };

/** `debug: true`: the conversation with the server, which nodemailer logs without credentials. */
function transcript(say: (line: string) => void) {
  const level = (entry: unknown, message: unknown): void => {
    const kind = typeof entry === 'object' && entry !== null && 'tnx' in entry ? entry.tnx : undefined;
    if (kind === 'client' || kind === 'server') say(`${kind === 'client' ? '>' : '<'} ${String(message).trimEnd()}`);
  };
  return { level: () => undefined, trace: level, debug: level, info: level, warn: level, error: level, fatal: level };
}
