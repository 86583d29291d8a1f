import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { RunEvent } from '../../../../lib/events/run-event.ts';
import type { Attempt } from '../../../../lib/local/history/attempt.ts';
import { createAttempt } from '../../../../lib/local/history/create-attempt.ts';
import { readEvents } from '../../../../lib/local/history/events.ts';
import { temporary } from '../temporary.ts';

const run = { workflow: 'main', session_time: '2030-01-01T00:00:00+00:00', params: {} };
const time = '2030-01-01T00:00:00.000Z';

async function eventsOf(attempt: Attempt): Promise<RunEvent[]> {
  const events: RunEvent[] = [];
  for await (const event of readEvents(attempt.directory)) events.push(event);
  return events;
}

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
