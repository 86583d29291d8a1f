import { expect, it } from 'vitest';
import { createAttempt } from '../../../../lib/local/history/create-attempt.ts';
import { watchAttempt } from '../../../../lib/local/history/watch-attempt.ts';
import { temporary } from '../temporary.ts';

it('gives each event of an attempt once, until it ends', async () => {
  const attempt = createAttempt(await temporary(), {
    workflow: 'main',
    session_time: '2030-01-01T00:00:00+00:00',
    params: {},
  });
  const notice = (message: string) => attempt.append({ type: 'notice', time: '2030-01-01T00:00:00Z', message });
  notice('1');
  const messages: string[] = [];
  for await (const event of watchAttempt(attempt.directory, 1)) {
    if (event.type !== 'notice') continue;
    messages.push(event.message);
    if (event.message === '1') {
      notice('2');
      notice('3');
    }
    if (event.message === '3') {
      notice('4');
      attempt.end('succeeded');
    }
  }
  expect(messages).toEqual(['1', '2', '3', '4']);
});
