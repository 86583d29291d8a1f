import { describe, expect, it } from 'vitest';
import { nextMatch } from '../../../lib/expression/cron.ts';
import { makeScheduler, type Scheduler, type ScheduleSpec } from '../../../lib/expression/schedule.ts';
import { formatSessionTime } from '../../../lib/expression/session.ts';
import { parseCron } from '../../../lib/language/cron.ts';

type Kind = ScheduleSpec['kind'];

function scheduler(kind: Kind, at: string, timezone: string, more: Partial<ScheduleSpec> = {}): Scheduler {
  const result = makeScheduler({ kind, at, delay: 0, skipOnOvertime: false, ...more }, timezone);
  if (typeof result === 'string') throw new Error(result);
  return result;
}

const shown = (timezone: string, { time, run }: { time: number; run: number }) =>
  `${formatSessionTime(time, timezone)} ${formatSessionTime(run, timezone)}`;

describe('first: the session that starts at a time or later', () => {
  it.each<[Kind, string, string, string, string]>([
    ['hourly', '15:00', 'UTC', '2030-02-03T17:15:00Z', '2030-02-03T17:00:00+00:00 2030-02-03T17:15:00+00:00'],
    ['hourly', '15:00', 'UTC', '2030-02-03T17:15:01Z', '2030-02-03T18:00:00+00:00 2030-02-03T18:15:00+00:00'],
    [
      'daily',
      '10:00:00',
      'Asia/Tokyo',
      '2030-02-03T10:00:00+09:00',
      '2030-02-03T00:00:00+09:00 2030-02-03T10:00:00+09:00',
    ],
    [
      'daily',
      '10:00:00',
      'Asia/Tokyo',
      '2030-02-03T10:00:01+09:00',
      '2030-02-04T00:00:00+09:00 2030-02-04T10:00:00+09:00',
    ],
    ['weekly', 'Sun,09:00:00', 'UTC', '2030-05-10T00:00:00Z', '2030-05-12T00:00:00+00:00 2030-05-12T09:00:00+00:00'],
    ['weekly', '7, 09:00:00', 'UTC', '2030-05-10T00:00:00Z', '2030-05-12T00:00:00+00:00 2030-05-12T09:00:00+00:00'],
    [
      'weekly',
      'Mon-Fri,09:00:00',
      'UTC',
      '2030-05-11T00:00:00Z',
      '2030-05-13T00:00:00+00:00 2030-05-13T09:00:00+00:00',
    ],
    ['monthly', '31,09:00:00', 'UTC', '2030-02-01T00:00:00Z', '2030-03-31T00:00:00+00:00 2030-03-31T09:00:00+00:00'],
    ['minutes_interval', '10', 'UTC', '2030-02-03T17:20:01Z', '2030-02-03T17:30:00+00:00 2030-02-03T17:30:00+00:00'],
    ['minutes_interval', '40', 'UTC', '2030-02-03T17:41:00Z', '2030-02-03T18:00:00+00:00 2030-02-03T18:00:00+00:00'],
    ['seconds_interval', '90', 'UTC', '1970-01-01T00:01:30Z', '1970-01-01T00:01:30+00:00 1970-01-01T00:01:30+00:00'],
    [
      'cron',
      '00 10 * * *',
      'America/Los_Angeles',
      '2030-03-10T01:59:59-08:00',
      '2030-03-10T10:00:00-07:00 2030-03-10T10:00:00-07:00',
    ],
  ])('%s %s in %s at %s', (kind, at, timezone, now, expected) => {
    expect(shown(timezone, scheduler(kind, at, timezone).first(Date.parse(now)))).toBe(expected);
  });
});

describe('last and next', () => {
  it.each<[Kind, string, string, string, string, string]>([
    // Clocks go forward: 02:00 does not exist, 02:30 runs when it would have been.
    [
      'hourly',
      '0:00',
      'America/New_York',
      '2030-03-10T01:00:00-05:00',
      '2030-03-10T00:00:00-05:00',
      '2030-03-10T03:00:00-04:00',
    ],
    [
      'hourly',
      '0:00',
      'America/New_York',
      '2030-03-10T03:00:00-04:00',
      '2030-03-10T01:00:00-05:00',
      '2030-03-10T04:00:00-04:00',
    ],
    [
      'daily',
      '0:00:00',
      'America/New_York',
      '2030-03-10T00:00:00-05:00',
      '2030-03-09T00:00:00-05:00',
      '2030-03-11T00:00:00-04:00',
    ],
    [
      'cron',
      '30 2 * * *',
      'America/New_York',
      '2030-03-09T02:30:00-05:00',
      '2030-03-08T02:30:00-05:00',
      '2030-03-10T03:30:00-04:00',
    ],
    // A midnight that does not exist.
    [
      'daily',
      '0:00:00',
      'Asia/Beirut',
      '2030-03-30T00:00:00+02:00',
      '2030-03-29T00:00:00+02:00',
      '2030-03-31T01:00:00+03:00',
    ],
    [
      'daily',
      '0:00:00',
      'Asia/Beirut',
      '2030-03-31T01:00:00+03:00',
      '2030-03-30T00:00:00+02:00',
      '2030-04-01T00:00:00+03:00',
    ],
    // Clocks go back: of 01:00, which occurs twice, the later counts.
    [
      'hourly',
      '0:00',
      'America/New_York',
      '2030-11-03T00:00:00-04:00',
      '2030-11-02T23:00:00-04:00',
      '2030-11-03T01:00:00-05:00',
    ],
    [
      'hourly',
      '0:00',
      'America/New_York',
      '2030-11-03T01:00:00-05:00',
      '2030-11-03T00:00:00-04:00',
      '2030-11-03T02:00:00-05:00',
    ],
    [
      'cron',
      '30 1 * * *',
      'Europe/Berlin',
      '2030-10-26T01:30:00+02:00',
      '2030-10-25T01:30:00+02:00',
      '2030-10-27T01:30:00+02:00',
    ],
    [
      'cron',
      '30 2 * * *',
      'Europe/Berlin',
      '2030-10-26T02:30:00+02:00',
      '2030-10-25T02:30:00+02:00',
      '2030-10-27T02:30:00+01:00',
    ],
    // Times that are none of the schedule's.
    [
      'weekly',
      'Sun,00:00:00',
      'UTC',
      '2030-05-10T00:00:00+00:00',
      '2030-05-05T00:00:00+00:00',
      '2030-05-12T00:00:00+00:00',
    ],
    [
      'monthly',
      '15,09:00:00',
      'UTC',
      '2030-01-15T00:00:00+00:00',
      '2029-12-15T00:00:00+00:00',
      '2030-02-15T00:00:00+00:00',
    ],
    ['cron', '0 0 L * *', 'UTC', '2032-02-29T00:00:00+00:00', '2032-01-31T00:00:00+00:00', '2032-03-31T00:00:00+00:00'],
    [
      'cron',
      '0 0 29 2 *',
      'UTC',
      '2030-01-01T00:00:00+00:00',
      '2028-02-29T00:00:00+00:00',
      '2032-02-29T00:00:00+00:00',
    ],
    // digdag gives 2030-02-27 as last here, which is no time of this schedule.
    [
      'cron',
      '0 0 1,2,3 * *',
      'UTC',
      '2030-03-01T00:00:00+00:00',
      '2030-02-03T00:00:00+00:00',
      '2030-03-02T00:00:00+00:00',
    ],
    [
      'cron',
      '0 5 * * *|30 7 * * *',
      'UTC',
      '2030-03-01T06:00:00+00:00',
      '2030-03-01T05:00:00+00:00',
      '2030-03-01T07:30:00+00:00',
    ],
    [
      'minutes_interval',
      '30',
      'Asia/Kolkata',
      '2030-01-01T00:00:00+05:30',
      '2029-12-31T23:30:00+05:30',
      '2030-01-01T00:30:00+05:30',
    ],
    [
      'seconds_interval',
      '3600',
      'UTC',
      '2030-01-01T00:00:00+00:00',
      '2029-12-31T23:00:00+00:00',
      '2030-01-01T01:00:00+00:00',
    ],
    [
      'daily',
      '0:00:00',
      '+09:00',
      '2030-01-01T00:00:00+09:00',
      '2029-12-31T00:00:00+09:00',
      '2030-01-02T00:00:00+09:00',
    ],
  ])('%s %s in %s at %s', (kind, at, timezone, time, last, next) => {
    const { last: before, next: after } = scheduler(kind, at, timezone);
    const instant = Date.parse(time);
    expect(formatSessionTime(before(instant).time, timezone)).toBe(last);
    expect(formatSessionTime(after(instant).time, timezone)).toBe(next);
  });
});

describe('start and end', () => {
  const limits = { start: '2030-03-01', end: '2030-03-31' };
  it.each([
    ['2030-02-03T00:00:00+09:00', '2030-03-01T00:00:00+09:00 2030-03-01T10:00:00+09:00'],
    ['2030-03-30T10:00:01+09:00', '2030-03-31T00:00:00+09:00 2030-03-31T10:00:00+09:00'],
    ['2030-03-31T10:00:01+09:00', '9999-01-01T09:00:00+09:00 9999-01-01T09:00:00+09:00'],
  ])('at %s', (now, expected) => {
    expect(shown('Asia/Tokyo', scheduler('daily', '10:00:00', 'Asia/Tokyo', limits).first(Date.parse(now)))).toBe(
      expected,
    );
  });

  it('counts the delay of cron and intervals', () => {
    const { first } = scheduler('cron', '0 0 * * *', 'UTC', { delay: 7200 });
    expect(shown('UTC', first(Date.parse('2030-01-01T02:00:00Z')))).toBe(
      '2030-01-01T00:00:00+00:00 2030-01-01T02:00:00+00:00',
    );
  });
});

describe('faults', () => {
  it.each<[Kind, string, Partial<ScheduleSpec>, string]>([
    ['daily', 'half past nine', {}, 'daily>: scheduler requires hh:mm:ss format: half past nine'],
    ['hourly', '1:2:3', {}, 'hourly>: scheduler requires mm:ss format: 1:2:3'],
    ['weekly', 'Funday,1:2:3', {}, 'weekly>: scheduler requires day,hh:mm:ss format: Funday,1:2:3'],
    ['weekly', '-1,1:2:3', {}, 'weekly>: scheduler requires day,hh:mm:ss format: -1,1:2:3'],
    ['monthly', 'x', {}, 'monthly>: scheduler requires day,hh:mm:ss format: x'],
    ['monthly', '32,1:2:3', {}, "'32' is no day of the month (1-31)"],
    ['minutes_interval', '0', {}, "'*/0' is no step for the minute"],
    ['seconds_interval', 'x', {}, 'seconds_interval>: requires a number of seconds: x'],
    ['cron', '* * *', {}, 'it has 3 fields'],
    ['cron', '61 * * * *', {}, "'61' is no minute (0-59)"],
    ['daily', '1:2:3', { start: '2030-02-30' }, 'Invalid start: 2030-02-30'],
    ['daily', '1:2:3', { start: '2030-02-02', end: '2030-02-01' }, 'The schedule of end is earlier than start'],
  ])('%s %s %o', (kind, at, more, message) => {
    expect(makeScheduler({ kind, at, delay: 0, skipOnOvertime: false, ...more }, 'UTC')).toContain(message);
  });

  it('finds that a pattern never matches', () => {
    const pattern = parseCron('0 0 31 2 *');
    expect(typeof pattern === 'string' ? pattern : nextMatch(pattern, 'UTC', 0)).toBeUndefined();
  });
});
