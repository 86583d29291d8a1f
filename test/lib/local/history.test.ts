import { spawn } from 'node:child_process';
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { RunEvent } from '../../../lib/events/run-event.ts';
import {
  type Attempt,
  createAttempt,
  lastUnsuccessful,
  listAttempts,
  readAttempt,
  readEvents,
  resumeChain,
} from '../../../lib/local/history.ts';
import { temporary } from './temporary.ts';
import { zombie } from './zombie.ts';

const run = { workflow: 'main', session_time: '2030-01-01T00:00:00+00:00', params: {} };
const time = '2030-01-01T00:00:00.000Z';

async function eventsOf(attempt: Attempt): Promise<RunEvent[]> {
  const events: RunEvent[] = [];
  for await (const event of readEvents(attempt.directory)) events.push(event);
  return events;
}

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
  const code = `import { createAttempt } from ${JSON.stringify(join(process.cwd(), 'lib/local/history.ts'))};
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

it('gives back its events, with output that lies in a log a task', async () => {
  const attempt = createAttempt(await temporary(), run);
  const events: RunEvent[] = [
    { type: 'task-started', time, task: '+main+a', operator: 'py', try: 1 },
    { type: 'task-output', time, task: '+main+a', text: 'é one\n' },
    { type: 'task-output', time, task: '+main+b/c', text: 'other\n' },
    { type: 'task-output', time, task: '+main+a', text: 'two\n' },
    { type: 'run-ended', time, status: 'succeeded', seconds: 1 },
  ];
  for (const event of events) attempt.append(event);
  expect(await eventsOf(attempt)).toEqual(events);
  expect(readFileSync(attempt.logFile('+main+a'), 'utf8')).toBe('é one\ntwo\n');
  expect(existsSync(join(attempt.directory, 'logs', '+main+b%2Fc.log'))).toBe(true);
});

it('tolerates a torn last line', async () => {
  const attempt = createAttempt(await temporary(), run);
  attempt.append({ type: 'notice', time, message: 'one' });
  appendFileSync(join(attempt.directory, 'events.jsonl'), '{"type":"noti');
  expect(await eventsOf(attempt)).toEqual([{ type: 'notice', time, message: 'one' }]);
});

it('counts a run as killed that its parent has not reaped', async () => {
  const folder = join(await temporary(), '.trowel');
  const attempt = createAttempt(folder, run);
  const { pid, reap } = await zombie();
  const { process: _, ...meta } = attempt.meta;
  writeFileSync(join(attempt.directory, 'meta.json'), JSON.stringify({ ...meta, pid }));
  expect(listAttempts(folder).map(({ status }) => status)).toEqual(['killed']);
  expect(lastUnsuccessful(folder, run.workflow)?.attempt).toBe(attempt.meta.attempt);
  await reap();
});

it('tells running, ended and killed attempts apart, and passes over what is no attempt', async () => {
  const folder = await temporary();
  const [first, second, third] = [1, 2, 3].map(() => createAttempt(folder, run));
  second?.end('failed', 'Trowel.TaskFailed');
  const meta = join(third?.directory ?? '', 'meta.json');
  // A process that is gone.
  writeFileSync(meta, JSON.stringify({ ...third?.meta, pid: 2 ** 30 }));
  expect(listAttempts(folder).map(({ status }) => status)).toEqual(['running', 'failed', 'killed']);
  expect(readAttempt(second?.directory ?? '')).toMatchObject({ attempt: 2, error: 'Trowel.TaskFailed' });
  writeFileSync(join(first?.directory ?? '', 'meta.json'), '{');
  expect(listAttempts(folder).map(({ attempt }) => attempt)).toEqual([2, 3]);
});

it('finds what --resume continues, and where results may lie', async () => {
  const folder = await temporary();
  createAttempt(folder, run).end('failed');
  createAttempt(folder, { ...run, resumes: 1 }).end('interrupted');
  createAttempt(folder, { ...run, session_time: 'later' }).end('succeeded');
  createAttempt(folder, { ...run, workflow: 'other' }).end('failed');
  expect(lastUnsuccessful(folder, 'main')).toBeUndefined();
  const found = lastUnsuccessful(folder, 'main', run.session_time);
  expect(found?.attempt).toBe(2);
  expect(found && resumeChain(folder, found)).toEqual(['2', '1'].map((id) => join(folder, 'attempts', id)));
  createAttempt(folder, { ...run, resumes: 2 });
  expect(lastUnsuccessful(folder, 'main', run.session_time)).toBeUndefined();
});
