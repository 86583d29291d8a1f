/** "Error notification with Python stack trace". */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { serve } from '../../lib/functions/http/server.ts';
import { bodyOf, smtp } from '../../lib/functions/notify/smtp.ts';
import { example } from '../example.ts';

/** Of the example, whose line numbers are not our subject. */
function lineOf(folder: string, text: string): number {
  const lines = readFileSync(join(folder, 'py_scripts/examples.py'), 'utf8').split('\n');
  return lines.findIndex((line) => line.includes(text)) + 1;
}

const QUOTED = 'the server said:\n\t"no such \'table\'" \\ ${not_a_variable} {"code": 42}';

/** As `error.message` has it; the last line of a newer Python marks the place with carets. */
function expected(folder: string): string {
  const raised = `raise RuntimeError('the server said:\\n\\t"no such \\'table\\'" \\\\ \${not_a_variable} {"code": 42}')`;
  return [
    'Python command failed with code 1',
    `Error messages from python: ${QUOTED} (RuntimeError)`,
    '\tfrom Traceback (most recent call last):',
    `\tfrom   File "${folder}/py_scripts/examples.py", line ${lineOf(folder, 'the server said')}, in quoted_error`,
    `    ${raised}`,
    `\tfrom RuntimeError: ${QUOTED} (runtime)`,
  ].join('\n');
}

describe('the message of a Python error', () => {
  it('error_echo: is shown by _error with the end of its traceback, and the run fails', async () => {
    const { trowel, folder } = await example('operator-guide');
    const ran = await trowel('run', 'error_echo');
    expect(ran.code).toBe(1);
    const echoed = ran.stdout.slice(ran.stdout.indexOf('Python command failed')).replace(/^ +\^+\n/m, '');
    expect(echoed).toBe(
      `Python command failed with code 1
Error messages from python: invalid literal for int() with base 10: 'a1234' (ValueError)
\tfrom Traceback (most recent call last):
\tfrom   File "${folder}/py_scripts/examples.py", line ${lineOf(folder, 'int("a1234")')}, in error_sample
    int("a1234")  # raises ValueError
\tfrom ValueError: invalid literal for int() with base 10: 'a1234' (runtime)
`,
    );
    expect(ran.stderr).toContain('failed  +error_echo+simple_raise_error');
  });

  it('error_slack: goes as a Slack message, newlines and quotes intact', async () => {
    const { trowel, folder } = await example('operator-guide');
    const { url, received, close } = await serve();
    onTestFinished(close);
    const ran = await trowel('run', 'error_slack', '-p', `slack_url=${url}/services/x`);
    expect(ran.code).toBe(1);
    expect(received).toMatchObject([
      { method: 'POST', url: '/services/x', headers: { 'content-type': 'application/json' } },
    ]);
    expect(JSON.parse(received[0]?.body ?? '')).toEqual({ text: expected(folder) });
  });

  it('error_mail: goes as a mail, newlines and quotes intact', async () => {
    const { trowel } = await example('operator-guide');
    const { port, mails, close } = await smtp();
    onTestFinished(close);
    const ran = await trowel('run', 'error_mail', '-p', 'smtp_host=127.0.0.1', '-p', `smtp_port=${port}`);
    expect(ran.code).toBe(1);
    expect(mails).toMatchObject([{ from: 'workflows@example.com', to: ['team@example.com'] }]);
    const [mail] = mails;
    if (mail === undefined) throw new Error('no mail came');
    expect(mail.raw).toMatch(/^Subject: Failed on \d{4}-\d\d-\d\d\r$/m);
    // People read it: without what digdag's form of the message adds.
    expect(bodyOf(mail).replaceAll('\r\n', '\n').trimEnd()).toBe(`${QUOTED} (RuntimeError)`);
  });
});
