/** Covers lib/local/history/events.ts, lib/local/history/attempts.ts. */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { lastUnsuccessful, listAttempts } from '../../../lib/local/history/attempts.ts';
import { readEvents } from '../../../lib/local/history/events.ts';
import { sequence } from './machines.ts';
import { eventually, runIn } from './project.ts';
import { temporary } from './temporary.ts';

const TASKS = Array.from({ length: 6 }, (_, i) => {
  const script = `echo ${i} >> log; sleep 0.1`;
  return { name: `+main+t${i}`, op: 'sh', keys: { 'sh>': script, _command: script } };
});

it('a run that was killed goes on where it was, as often as need be', async () => {
  const project = await temporary();
  const log = join(project, 'log');
  const lines = (): number => (existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n').length : 0);
  const folder = join(project, '.trowel');
  const code = `
    import { lastUnsuccessful } from ${JSON.stringify(join(process.cwd(), 'lib/local/history/attempts.ts'))};
    import { sequence } from ${JSON.stringify(join(import.meta.dirname, 'machines.ts'))};
    import { runIn } from ${JSON.stringify(join(import.meta.dirname, 'project.ts'))};
    const resume = lastUnsuccessful(${JSON.stringify(folder)}, 'main');
    await runIn(${JSON.stringify(project)}, sequence(${JSON.stringify(TASKS)}), { ...(resume && { resume }) });`;
  for (const count of [1, 3, 4]) {
    const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', code]);
    const ended = new Promise((resolve) => child.once('close', resolve));
    await eventually(() => lines() >= count);
    child.kill('SIGKILL');
    await ended;
  }
  expect(listAttempts(folder).every(({ status }) => status === 'killed')).toBe(true);
  const resume = lastUnsuccessful(folder, 'main');
  const last = await runIn(project, sequence(TASKS), { ...(resume && { resume }) });
  expect(last.result.status).toBe('succeeded');
  expect(last.story.some((line) => line.startsWith('succeeded again'))).toBe(true);

  const done: string[] = [];
  for (const { directory } of listAttempts(folder)) {
    for await (const event of readEvents(directory)) {
      if (event.type === 'task-succeeded' && !event.replayed) done.push(event.task);
    }
  }
  // Each once: what had succeeded was not repeated.
  expect(new Set(done).size).toBe(done.length);
  // A task that was killed in its middle ran again.
  expect(lines()).toBeGreaterThanOrEqual(6);
  expect(lines()).toBeLessThanOrEqual(9);
});
