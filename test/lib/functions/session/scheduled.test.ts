import { describe, expect, it } from 'vitest';
import type { ScheduledPayload } from '../../../../lib/contract/payload.ts';
import { scheduled } from '../../../../lib/functions/session/scheduled.ts';

const MACHINE = 'arn:aws:states:eu-west-1:123456789012:stateMachine:p-main';

function payload(run: string, more: Partial<ScheduledPayload> = {}): ScheduledPayload {
  return {
    v: 1,
    workflow: 'main',
    timezone: 'Asia/Tokyo',
    schedule: { kind: 'daily', at: '07:00:00', delay: 0, skipOnOvertime: false },
    scheduled: run,
    zone: 'Asia/Tokyo',
    delay: 25_200,
    machine: MACHINE,
    prefix: 'main',
    ...more,
  };
}

/** Executions as Step Functions keeps them: one of a name. */
function service(now: string, running = false) {
  const started = new Map<string, { readonly session_time: string }>();
  return {
    started,
    now: () => Date.parse(now),
    running: async () => running,
    start: async (_: string, name: string, input: { readonly session_time: string }) => {
      const fresh = !started.has(name);
      if (fresh) started.set(name, input);
      return fresh;
    },
  };
}

describe('a scheduled run', () => {
  it.each([
    ['a day', '2030-01-31T22:00:00Z', 'Asia/Tokyo', 25_200, '2030-02-01T00:00:00+09:00'],
    ['its own time', '2030-01-31T22:00:00Z', 'Asia/Tokyo', 0, '2030-02-01T07:00:00+09:00'],
    ['the day before', '2030-01-31T16:00:00Z', 'Asia/Tokyo', 90_000, '2030-01-31T00:00:00+09:00'],
    // 07:00 on the wall, 6 and 8 hours after midnight.
    ['a day that loses an hour', '2030-03-31T05:00:00Z', 'Europe/Berlin', 25_200, '2030-03-31T00:00:00+01:00'],
    ['a day that gains an hour', '2030-10-27T06:00:00Z', 'Europe/Berlin', 25_200, '2030-10-27T00:00:00+02:00'],
  ])('belongs to the session of %s', async (_, run, zone, delay, session_time) => {
    const services = service(run);
    await scheduled(payload(run, { zone, timezone: zone, delay }), services);
    const unix = Date.parse(session_time) / 1000;
    expect([...services.started]).toEqual([[`main-${unix}`, { session_time }]]);
  });

  it('starts once, however often it is delivered', async () => {
    const services = service('2030-01-31T22:00:01Z');
    const event = payload('2030-01-31T22:00:00Z');
    expect(await scheduled(event, services)).toMatchObject({ started: expect.any(String) });
    expect(await scheduled(event, services)).toMatchObject({ skipped: expect.stringContaining('there already') });
    expect(services.started.size).toBe(1);
  });

  it.each([
    ['the day before its start', '2030-01-30T22:00:00Z', { start: '2030-02-01' }, 0],
    ['its first day', '2030-01-31T22:00:00Z', { start: '2030-02-01' }, 1],
    ['its last day', '2030-01-31T22:00:00Z', { end: '2030-02-01' }, 1],
    ['the day after its end', '2030-02-01T22:00:00Z', { end: '2030-02-01' }, 0],
  ])('runs between start and end, whatever Scheduler was told: %s', async (_, run, dates, count) => {
    const services = service(run);
    const { schedule } = payload('');
    const result = await scheduled(payload(run, { schedule: { ...schedule, ...dates } }), services);
    expect(services.started.size).toBe(count);
    if (count === 0) expect(result).toMatchObject({ skipped: expect.stringContaining('2030-02-01') });
  });

  it('a run that a day of daylight saving put off starts the same session as the usual one', async () => {
    const services = service('2030-04-07T00:30:00Z');
    const berlin = { zone: 'Europe/Berlin', timezone: 'Europe/Berlin' };
    await scheduled(payload('2030-04-07T00:30:00Z', { ...berlin, delay: 9000 }), services);
    await scheduled(payload('2030-04-07T01:30:00Z', { ...berlin, delay: 12_600 }), services);
    expect([...services.started.values()]).toEqual([{ session_time: '2030-04-07T00:00:00+02:00' }]);
  });

  it.each([
    ['2030-01-31T22:03:00Z', 1],
    ['2030-01-31T22:03:01Z', 0],
  ])('skip_delayed_by: 3m at %s', async (now, count) => {
    const services = service(now);
    const { schedule } = payload('');
    await scheduled(payload('2030-01-31T22:00:00Z', { schedule: { ...schedule, skipDelayedBy: 180 } }), services);
    expect(services.started.size).toBe(count);
  });

  it.each([
    [true, true, 0],
    [true, false, 1],
    [false, true, 1],
  ])('skip_on_overtime: %s while another runs: %s', async (skipOnOvertime, running, count) => {
    const services = service('2030-01-31T22:00:00Z', running);
    const { schedule } = payload('');
    await scheduled(payload('2030-01-31T22:00:00Z', { schedule: { ...schedule, skipOnOvertime } }), services);
    expect(services.started.size).toBe(count);
  });
});
