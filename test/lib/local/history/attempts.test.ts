import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { lastUnsuccessful, listAttempts, readAttempt, resumeChain } from '../../../../lib/local/history/attempts.ts';
import { createAttempt } from '../../../../lib/local/history/create-attempt.ts';
import { temporary } from '../temporary.ts';
import { zombie } from '../zombie.ts';

const run = { workflow: 'main', session_time: '2030-01-01T00:00:00+00:00', params: {} };

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
