import { describe, expect, it } from 'vitest';
import { timesOf } from './schedule-times.ts';

/** The first runs after a time, in UTC. */
function runs(expression: string, zone: string, after: string, count: number): string[] {
  const times = timesOf(expression, zone, Date.parse(after));
  const found: string[] = [];
  for (let time = times.next(Date.parse(after)); time !== undefined && found.length < count; time = times.next(time))
    found.push(new Date(time).toISOString().replace(':00.000Z', 'Z'));
  return found;
}

describe('timesOf', () => {
  const cases: readonly [string, string, string, string[]][] = [
    ['cron(0 7 * * ? *)', 'UTC', '2026-11-01T07:00:00Z', ['2026-11-02T07:00Z', '2026-11-03T07:00Z']],
    ['cron(0 7 * * ? *)', 'Asia/Tokyo', '2026-11-01T00:00:00Z', ['2026-11-01T22:00Z', '2026-11-02T22:00Z']],
    ['cron(*/20 8-9 ? * MON-FRI *)', 'UTC', '2026-11-20T09:30:00Z', ['2026-11-20T09:40Z', '2026-11-23T08:00Z']],
    ['cron(15 10 L * ? *)', 'UTC', '2028-02-01T00:00:00Z', ['2028-02-29T10:15Z', '2028-03-31T10:15Z']],
    ['cron(0 0 29 2 ? *)', 'UTC', '2026-01-01T00:00:00Z', ['2028-02-29T00:00Z', '2032-02-29T00:00Z']],
    ['cron(0 12 ? * FRI#2 *)', 'UTC', '2026-11-01T00:00:00Z', ['2026-11-13T12:00Z', '2026-12-11T12:00Z']],
    ['cron(0 12 ? JAN 1 2027)', 'UTC', '2026-11-01T00:00:00Z', ['2027-01-03T12:00Z', '2027-01-10T12:00Z']],
    ['cron(5/25 0 1,15 * ? *)', 'UTC', '2026-11-01T00:05:00Z', ['2026-11-01T00:30Z', '2026-11-01T00:55Z']],
    ['rate(5 minutes)', 'UTC', '2026-11-01T00:01:00Z', ['2026-11-01T00:06Z', '2026-11-01T00:11Z']],
    ['rate(1 day)', 'UTC', '2026-11-01T00:00:00Z', ['2026-11-02T00:00Z', '2026-11-03T00:00Z']],
    ['at(2026-11-01T09:00:00)', 'Asia/Tokyo', '2026-10-31T00:00:00Z', ['2026-11-01T00:00Z']],
    ['at(2026-11-01T09:00:00)', 'UTC', '2026-11-01T09:00:00Z', []],
    // Clocks go on at 02:00 on March 8, 2026: 02:30 is skipped that day.
    ['cron(30 2 * * ? *)', 'America/New_York', '2026-03-07T00:00:00Z', ['2026-03-07T07:30Z', '2026-03-09T06:30Z']],
    // They go back at 02:00 on November 1: 01:30 is there twice, and runs once.
    ['cron(30 1 * * ? *)', 'America/New_York', '2026-10-31T12:00:00Z', ['2026-11-01T05:30Z', '2026-11-02T06:30Z']],
    [
      'cron(0 0/1 * * ? *)',
      'Europe/Berlin',
      '2026-03-29T00:30:00Z',
      ['2026-03-29T01:00Z', '2026-03-29T02:00Z', '2026-03-29T03:00Z'],
    ],
  ];
  it.each(cases)('%s in %s after %s', (expression, zone, after, expected) => {
    expect(runs(expression, zone, after, Math.max(1, expected.length))).toEqual(expected);
  });

  it.each([
    ['cron(0 7 * * *)', 'UTC', 'fields'],
    ['cron(0 7 * * * *)', 'UTC', 'must be ?'],
    ['cron(0 7 ? * ? *)', 'UTC', 'must be ?'],
    ['cron(61 7 * * ? *)', 'UTC', 'Invalid field'],
    ['cron(0 7 15W * ? *)', 'UTC', 'Invalid field'],
    ['cron(0 7 ? * 0 *)', 'UTC', 'Invalid field'],
    ['cron(0 7 1,L * ? *)', 'UTC', 'Invalid field'],
    ['rate(0 minutes)', 'UTC', 'Invalid rate'],
    ['rate(90 seconds)', 'UTC', 'Invalid rate'],
    ['every day', 'UTC', 'Invalid schedule expression'],
    ['cron(0 7 * * ? *)', 'Mars/Olympus', 'Invalid ScheduleExpressionTimezone'],
  ])('%s in %s is refused', (expression, zone, message) => {
    expect(() => timesOf(expression, zone, 0)).toThrow(message);
  });
});
