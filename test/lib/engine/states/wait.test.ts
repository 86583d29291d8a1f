import { expect, test } from 'vitest';
import { VirtualClock } from '../../../../lib/engine/clock.ts';
import { machineOf, run } from '../harness.ts';

const start = Date.UTC(2026, 0, 1);
const wait = (more: object) => machineOf({ W: { Type: 'Wait', ...more, End: true } });

test.each([
  ['Seconds', { Seconds: 90 }, 90],
  ['Seconds of 0', { Seconds: 0 }, 0],
  ['Seconds from an expression', { Seconds: '{% $states.input.n * 2 %}' }, 10],
  ['longer than a timer of Node', { Seconds: 90_000_000 }, 90_000_000],
  ['Timestamp', { Timestamp: '2026-01-01T00:01:00Z' }, 60],
  ['Timestamp in another zone', { Timestamp: '2026-01-01T09:01:00+09:00' }, 60],
  ['Timestamp from an expression', { Timestamp: '{% $fromMillis($millis() + 1500) %}' }, 1.5],
  ['Timestamp that is past', { Timestamp: '2020-01-01T00:00:00Z' }, 0],
])('%s', async (_name, fields, seconds) => {
  const { seconds: took, outcome } = await run(wait(fields), { clock: new VirtualClock(start), input: { n: 5 } });
  expect(outcome.status).toBe('SUCCEEDED');
  expect(took).toBe(seconds);
});

test.each([
  ['negative', { Seconds: '{% -1 %}' }, 'whole number from 0'],
  ['a fraction', { Seconds: '{% 1.5 %}' }, 'whole number from 0'],
  ['a text', { Seconds: "{% '1' %}" }, "Expected 'number', but was 'string'"],
  ['no T', { Timestamp: "{% '2026-12-05 21:29:29Z' %}" }, 'cannot be parsed as an ISO-8601'],
  ['no zone', { Timestamp: "{% '2026-12-05T21:29:29' %}" }, 'cannot be parsed as an ISO-8601'],
  ['no such month', { Timestamp: "{% '2026-13-05T21:29:29Z' %}" }, 'cannot be parsed as an ISO-8601'],
])('%s fails', async (_name, fields, message) => {
  const { outcome } = await run(wait(fields));
  expect(outcome).toMatchObject({ error: 'States.QueryEvaluationError', cause: expect.stringContaining(message) });
});
