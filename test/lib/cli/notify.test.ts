/** Covers lib/functions/notify/core.ts, lib/local/functions/invoke.ts. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Sink, serve } from '../functions/http/server.ts';
import { type MailSink, smtp } from '../functions/notify/smtp.ts';
import { project, trowel } from './run-cli.ts';

let web: Sink;
let post: MailSink;
beforeAll(async () => {
  web = await serve();
  post = await smtp();
});
afterAll(() => Promise.all([web.close(), post.close()]));

it('a failure here is told once by the handlers around it, with the error, the traceback and how to go on', async () => {
  const cwd = await project({
    'trowel.yml': 'name: told\nnotifications: {slack: secret:slack.webhook}\n',
    'main.dig':
      '_error:\n  notify>: main failed\n+load:\n  _error: {notify>: "no rows for ${session_date}"}\n  py>: tasks.rows\n',
    'tasks.py': 'def rows():\n    raise ValueError("no <rows>")\n',
  });
  const env = { XDG_CONFIG_HOME: await project() };
  await trowel(['secrets', '--local', '--set', `slack.webhook=${web.url}/hook`], { cwd, env });
  const { code, stdout, stderr } = await trowel(['run', 'main', '--session', '2030-01-31'], { cwd, env });
  expect(code).toBe(1);
  expect(stdout + stderr).toContain('An inner handler has sent a message about this failure.');
  expect(web.received).toHaveLength(1);
  const text = web.received[0]?.body ?? '';
  for (const part of ['no rows for 2030-01-31', 'no &lt;rows&gt;', '*Task*\\n+main+load', 'trowel run main --resume'])
    expect(text).toContain(part);
});

it('a mail has values of earlier tasks as attachments', async () => {
  const cwd = await project({
    'main.dig': `+report:
  py>: tasks.report
+mail:
  mail>: {data: see the attachment}
  from: me@example.com
  to: you@example.com
  subject: Report
  host: 127.0.0.1
  port: ${post.port}
  attach_files: [{value: "\${report}", filename: report.bin}]
`,
    'tasks.py': 'import digdag\n\n\ndef report():\n    digdag.env.store({"report": bytes(range(60))})\n',
  });
  expect(await trowel(['run', 'main'], { cwd })).toMatchObject({ code: 0 });
  const [mail] = post.mails;
  expect(mail?.raw).toContain('name=report.bin');
  expect(mail?.raw).toContain(
    Buffer.from(Array.from({ length: 60 }, (_, i) => i))
      .toString('base64')
      .slice(0, 60),
  );
});
