/** The first thing that a user tries: the README's command, with no set-up. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { serve } from '../lib/functions/http/server.ts';
import { example } from './example.ts';

const REPORT = [
  /^Sales of 30 days up to \d{4}-\d\d-\d\d$/m,
  /^region +total +mean +a day +next$/m,
  ...['west', 'east', 'south', 'north'].map(
    (region) => new RegExp(`^${region} +[\\d,.]+ +[\\d,.]+ +[+-][\\d.]+ +[\\d,.]+$`, 'm'),
  ),
  /^In all 141,242\.60 EUR\. Growing fastest: west\.$/m,
];

describe('examples/quickstart', () => {
  it('runs with no set-up, and ends with the report and where logs and values are', async () => {
    const { shell, folder, home } = await example('quickstart');
    const ran = await shell('trowel run quickstart/main.dig');
    expect(ran.code, ran.stderr).toBe(0);
    expect(ran.stdout).toMatch(/^123 rows for 4 regions\n/);
    for (const region of ['north', 'south', 'east', 'west']) {
      expect(ran.stdout).toMatch(new RegExp(`^${region}: \\d+ rows kept, \\d+ dropped$`, 'm'));
    }
    const last = ran.stdout.indexOf('Sales of 30 days');
    expect(last).toBeGreaterThan(ran.stdout.lastIndexOf('rows kept'));
    for (const line of REPORT) expect(ran.stdout.slice(last)).toMatch(line);
    expect(ran.stderr).toMatch(
      /^Success in [\d.]+ s: 12 tasks done\.\n {2}logs and values: quickstart\/\.trowel\/attempts\/1\n$/m,
    );
    expect(ran.stderr).not.toMatch(/error|warning|notice/i);

    const attempt = join(folder, '.trowel/attempts/1');
    expect(readFileSync(join(attempt, 'logs/+main+inputs+sales.log'), 'utf8')).toBe('123 rows for 4 regions\n');
    expect(await readdir(home, { recursive: true })).toEqual([]);
  });

  it('uses what an example should show', () => {
    const text = readFileSync(join(import.meta.dirname, '../../examples/quickstart/main.dig'), 'utf8');
    for (const word of ['_export:', 'for_each>:', '_parallel: true', '_retry:', '_error:', 'py>:', '${days}']) {
      expect(text).toContain(word);
    }
    const tasks = readFileSync(join(import.meta.dirname, '../../examples/quickstart/tasks/sales.py'), 'utf8');
    expect(tasks).toContain('digdag.env.store(');
  });

  it('takes another parameter, from the folder itself, and keeps a large value in a file', async () => {
    const { trowel, folder } = await example('quickstart');
    const ran = await trowel('run', '-p', 'days=90', 'main.dig');
    expect(ran.code).toBe(0);
    expect(ran.stdout).toMatch(/^Sales of 90 days/m);
    expect(ran.stderr).toContain('  logs and values: .trowel/attempts/1\n');
    const values = join(folder, '.trowel/attempts/1/values');
    const kept = readdirSync(values).map((file) => JSON.parse(readFileSync(join(values, file), 'utf8')));
    expect(kept).toContainEqual(expect.arrayContaining([expect.objectContaining({ region: 'north' })]));
  });

  it('tries a failing task again, and gives up after the last try', async () => {
    const { trowel } = await example('quickstart');
    const ran = await trowel('run', 'main.dig', '-p', 'outage=1', '+rates');
    expect(ran.code).toBe(1);
    expect(ran.stderr.match(/^retry/gm)).toHaveLength(3);
    expect(ran.stdout).toContain('There is no report: Python command failed with code 1\n');
    expect(ran.stderr).toContain('the exchange rates cannot be reached just now (ConnectionError)');
  });

  it('tells a failure: the task, its line, the message, the lines of the code once, the log, the way on', async () => {
    const { shell, folder } = await example('quickstart');
    const ran = await shell('trowel run quickstart/main.dig -p days=1');
    expect(ran.code).toBe(1);
    const message = 'a trend needs at least 2 days, but days is 1 (ValueError)';
    expect(ran.stdout).toContain(
      `There is no report: Python command failed with code 1\nError messages from python: ${message}\n`,
    );
    const [, told] = ran.stderr.split('\n\n');
    const line =
      readFileSync(join(folder, 'tasks/sales.py'), 'utf8')
        .split('\n')
        .findIndex((text) => text.includes('raise ValueError')) + 1;
    const traceback = [
      'Traceback (most recent call last):',
      `  File "${folder}/tasks/sales.py", line ${line}, in make`,
      '    raise ValueError(f"a trend needs at least 2 days, but days is {days}")',
    ];
    expect(ran.stdout).toContain(traceback.join('\n'));
    const dig = readFileSync(join(folder, 'main.dig'), 'utf8').split('\n');
    expect(told?.replace(/[\d.]+ s /m, 'N s ').split('\n')).toEqual([
      `+main+inputs+sales failed after N s (main.dig:${dig.findIndex((text) => text.includes('+sales:')) + 1})`,
      `  ${message}`,
      '  log: quickstart/.trowel/attempts/1/logs/+main+inputs+sales.log',
    ]);
    expect(existsSync(join(folder, '.trowel/attempts/1/logs/+main+inputs+sales.log'))).toBe(true);
    expect(ran.stderr).toMatch(/^ {2}continue where it stopped: trowel run quickstart\/main\.dig --resume$/m);
  });

  it('checks and compiles', async () => {
    const { trowel } = await example('quickstart');
    const checked = await trowel('check');
    expect(checked.code).toBe(0);
    expect(checked.stderr).toMatch(/^send-report\.dig:\d+:\d+ warning secret-missing: [\s\S]*\n1 warning\n$/);
    for (const workflow of ['main.dig', 'send-report.dig']) {
      const compiled = await trowel('compile', workflow);
      expect(JSON.parse(compiled.stdout)).toHaveProperty('StartAt');
    }
  });
});

describe('examples/quickstart/send-report.dig', () => {
  it('says which command sets the secret, and sends once that was run', async () => {
    const { shell, onTerminal, folder } = await example('quickstart');
    const { url, received, close } = await serve();
    onTestFinished(close);
    const webhook = `${url}/services/T0/B0/x`;
    const without = await shell('trowel run quickstart/send-report.dig');
    expect(without.code).toBe(1);
    expect(without.stderr).toContain("Secret not found for key: 'report.webhook'");
    const command = /^ {2}Set it with: (.*)$/m.exec(without.stderr)?.[1] ?? '';
    expect(command).toBe('trowel secrets --local --set report.webhook --project quickstart');

    const set = await onTerminal(command, [['Value of report.webhook', `${webhook}\n`]]);
    expect(set.code).toBe(0);
    expect(set.stdout).toContain('Set report.webhook for the project quickstart');
    expect(set.stdout).not.toContain(webhook);

    const resumed = await shell('trowel run quickstart/send-report.dig --resume');
    expect(resumed.code, resumed.stderr).toBe(0);
    expect(resumed.stdout).toMatch(/The report was sent: 200\n$/);
    expect(resumed.stdout).not.toContain('rows kept');
    expect(received).toHaveLength(1);
    const ran = await shell('trowel run quickstart/send-report.dig');
    expect(ran.code, ran.stderr).toBe(0);
    expect(received).toHaveLength(2);
    for (const { method, headers, body } of received) {
      expect([method, headers['content-type']]).toEqual(['POST', 'application/json']);
      const { text } = JSON.parse(body);
      for (const line of REPORT) expect(text).toMatch(line);
    }
    // The secret is in the file for secrets and nowhere in the project.
    const files = await readdir(folder, { recursive: true, withFileTypes: true });
    for (const file of files.filter((each) => each.isFile())) {
      expect(readFileSync(join(file.parentPath, file.name)).includes(webhook), file.name).toBe(false);
    }
  });

  it('without a terminal says how to give the value, and takes it so', async () => {
    const { shell, home } = await example('quickstart');
    const refused = await shell('trowel secrets --local --set report.webhook --project quickstart');
    expect(refused.code).toBe(2);
    const command = /standard input: (.*)$/m.exec(refused.stderr)?.[1] ?? '';
    expect(command).toBe('trowel secrets --local --set report.webhook=- --project quickstart');
    expect(await shell(command, { stdin: 'http://x/\n' })).toMatchObject({ code: 0 });
    const listed = await shell('trowel secrets --local --project quickstart');
    expect(listed.stdout).toBe('report.webhook\n');
    expect((await readdir(home, { recursive: true })).some((path) => path.includes('secrets'))).toBe(true);
  });
});
