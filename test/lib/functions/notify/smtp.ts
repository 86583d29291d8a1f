import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';

export interface Mail {
  readonly from: string;
  readonly to: readonly string[];
  readonly user: string | undefined;
  readonly secure: boolean;
  readonly raw: string;
}

export interface MailSink {
  readonly port: number;
  readonly mails: Mail[];
  close(): Promise<void>;
}

/** A real SMTP server that keeps what it gets. With `password`, it wants a login of `me`. */
export async function smtp(
  options: SMTPServerOptions & { password?: string; refuse?: string } = {},
): Promise<MailSink> {
  const { password, refuse, ...rest } = options;
  const mails: Mail[] = [];
  const server = new SMTPServer({
    authOptional: password === undefined,
    allowInsecureAuth: true,
    logger: false,
    ...rest,
    onAuth: ({ username, password: given }, _session, done) =>
      username === 'me' && given === password ? done(null, { user: username }) : done(new Error(`no: ${given}`)),
    onRcptTo: ({ address }, _session, done) => done(address === refuse ? new Error('no such person') : null),
    onData: (stream, session, done) => {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        const { mailFrom, rcptTo } = session.envelope;
        mails.push({
          from: mailFrom ? mailFrom.address : '',
          to: rcptTo.map(({ address }) => address),
          user: typeof session.user === 'string' ? session.user : undefined,
          secure: session.secure,
          raw: Buffer.concat(chunks).toString(),
        });
        done();
      });
    },
  });
  server.on('error', () => undefined);
  const listening = server.listen(0, '127.0.0.1');
  await once(listening, 'listening');
  return {
    port: (listening.address() as AddressInfo).port,
    mails,
    close: () => new Promise((done) => server.close(() => done())),
  };
}

/** The decoded text of a single-part mail. */
export function bodyOf({ raw }: Mail): string {
  const [head = '', ...rest] = raw.split('\r\n\r\n');
  const text = rest.join('\r\n\r\n');
  if (/^content-transfer-encoding: base64/im.test(head)) return Buffer.from(text, 'base64').toString();
  if (!/^content-transfer-encoding: quoted-printable/im.test(head)) return text;
  const bytes = text
    .replaceAll('=\r\n', '')
    .replaceAll(/=([0-9A-F]{2})/g, (_all, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(bytes, 'latin1').toString();
}
