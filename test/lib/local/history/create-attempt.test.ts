import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createAttempt } from '../../../../lib/local/history/create-attempt.ts';
import { temporary } from '../temporary.ts';

const run = { workflow: 'main', session_time: '2030-01-01T00:00:00+00:00', params: {} };

it('counts attempts and sessions from 1', async () => {
  const folder = await temporary();
  const made = [run, run, { ...run, session_time: 'other' }, { ...run, workflow: 'b' }, run].map((one) =>
    createAttempt(folder, one),
  );
  expect(made.map(({ meta }) => [meta.attempt, meta.session])).toEqual([
    [1, 1],
    [2, 1],
    [3, 2],
    [4, 3],
    [5, 1],
  ]);
  expect(readFileSync(join(folder, '.gitignore'), 'utf8')).toBe('*\n');
});

it('gives different numbers to processes that begin at once', async () => {
  const folder = await temporary();
  const code = `import { createAttempt } from ${JSON.stringify(join(process.cwd(), 'lib/local/history/create-attempt.ts'))};
    for (let i = 0; i < 10; i += 1) console.log(createAttempt(${JSON.stringify(folder)}, ${JSON.stringify(run)}).meta.attempt);`;
  const outputs = await Promise.all(
    [1, 2, 3].map(
      () =>
        new Promise<string>((resolve) => {
          const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', code]);
          let text = '';
          child.stdout.on('data', (data: Buffer) => {
            text += data.toString();
          });
          child.on('close', () => resolve(text));
        }),
    ),
  );
  const ids = outputs.join('').trim().split('\n').map(Number);
  expect(ids.sort((a, b) => a - b)).toEqual(Array.from({ length: 30 }, (_, i) => i + 1));
});
