import { describe, expect, it } from 'vitest';
import { scheduleExpression } from '../../../lib/cloud/schedule-expression.ts';
import { makeScheduler, type ScheduleSpec } from '../../../lib/expression/schedule.ts';
import type { ScheduleKind } from '../../../lib/language/workflow.ts';

const NOW = Date.parse('2030-06-01T00:00:00Z');

function spec(kind: ScheduleKind, at: string, more: Partial<ScheduleSpec> = {}): ScheduleSpec {
  return { kind, at, delay: 0, skipOnOvertime: false, ...more };
}

describe('schedule expressions', () => {
  it.each<[ScheduleKind, string, number, string[]]>([
    ['hourly', '30:00', 0, ['cron(30 * * * ? *)']],
    ['hourly', '90:00', 0, ['cron(30 * * * ? *)']],
    ['daily', '07:00:00', 0, ['cron(0 7 * * ? *)']],
    ['daily', '25:30:00', 0, ['cron(30 1 * * ? *)']],
    ['weekly', 'Sun,09:00:00', 0, ['cron(0 9 ? * SUN *)']],
    ['weekly', 'mon-fri,18:05:00', 0, ['cron(5 18 ? * MON,TUE,WED,THU,FRI *)']],
    ['weekly', '7,09:00:00', 0, ['cron(0 9 ? * SUN *)']],
    ['weekly', 'Sat,33:00:00', 0, ['cron(0 9 ? * SUN *)']],
    ['monthly', '1,09:00:00', 0, ['cron(0 9 1 * ? *)']],
    ['monthly', '31,09:00:00', 0, ['cron(0 9 31 * ? *)']],
    ['monthly', '1,33:00:00', 0, ['cron(0 9 2 * ? *)']],
    ['minutes_interval', '10', 0, ['cron(0,10,20,30,40,50 * * * ? *)']],
    ['minutes_interval', '1', 0, ['cron(* * * * ? *)']],
    ['minutes_interval', '30', 300, ['cron(5,35 * * * ? *)']],
    ['seconds_interval', '300', 0, ['cron(0,5,10,15,20,25,30,35,40,45,50,55 * * * ? *)']],
    ['seconds_interval', '60', 0, ['cron(* * * * ? *)']],
    ['seconds_interval', '21600', 0, ['cron(0 0,6,12,18 * * ? *)']],
    ['seconds_interval', '86400', 0, ['cron(0 0 * * ? *)']],
    ['cron', '42 4 1 * *', 0, ['cron(42 4 1 * ? *)']],
    ['cron', '0 9 * 1,jul 1-5', 0, ['cron(0 9 ? 1,7 MON,TUE,WED,THU,FRI *)']],
    ['cron', '0 0 L * *', 0, ['cron(0 0 L * ? *)']],
    ['cron', '0 0 15,L * *', 0, ['cron(0 0 15 * ? *)', 'cron(0 0 L * ? *)']],
    ['cron', '0 0 L 2,12 *', 90_000, ['cron(0 1 1 1,3 ? *)']],
    ['cron', '0 8 * * *|30 17 * * *', 0, ['cron(0 8 * * ? *)', 'cron(30 17 * * ? *)']],
    ['cron', '0 23 * * 5', 7200, ['cron(0 1 ? * SAT *)']],
    ['cron', '0 12,23 * * 5', 7200, ['cron(0 14 ? * FRI *)', 'cron(0 1 ? * SAT *)']],
    ['cron', '*/20 22-2 * * *', 0, ['cron(0,20,40 0-2,22,23 * * ? *)']],
  ])('%s>: %s with delay %i', (kind, at, delay, expressions) => {
    expect(scheduleExpression(spec(kind, at, { delay }), 'Asia/Tokyo', NOW)).toMatchObject({ expressions });
  });

  it.each<[ScheduleKind, string, number, RegExp]>([
    ['daily', '07:00:30', 0, /full minutes/],
    ['cron', '0 9 1 * 1', 0, /not both/],
    ['cron', '0 9 * * *', 90, /full minutes/],
    ['cron', '0 9 31 * *', 86_400, /end of a month/],
    ['cron', '0 9 * 2 *', 86_400, /end of a month/],
    ['seconds_interval', '30', 0, /every 30 seconds/],
    ['seconds_interval', '420', 0, /every 420 seconds/],
    ['seconds_interval', '172800', 0, /divides an hour or a day/],
  ])('%s>: %s with delay %i has no expression', (kind, at, delay, fault) => {
    expect(scheduleExpression(spec(kind, at, { delay }), 'UTC', NOW)).toMatchObject({
      fault: expect.stringMatching(fault),
      note: expect.stringMatching(/./),
    });
  });

  it.each<[ScheduleKind, string, number, string, string, string[]]>([
    ['daily', '07:00:00', 0, '+05:30', 'UTC', ['cron(30 1 * * ? *)']],
    ['daily', '03:00:00', 0, '+05:30', 'UTC', ['cron(30 21 * * ? *)']],
    ['daily', '03:00:00', 0, 'Z', 'UTC', ['cron(0 3 * * ? *)']],
    ['weekly', 'Mon,03:00:00', 0, '+05:30', 'UTC', ['cron(30 21 ? * SUN *)']],
    ['weekly', 'Sun,03:00:00', 0, 'UTC+9', 'UTC', ['cron(0 18 ? * SAT *)']],
    ['weekly', 'Sat,20:00:00', 0, '-09:30', 'UTC', ['cron(30 5 ? * SUN *)']],
    [
      'cron',
      '0 4,12 * * 1-5',
      0,
      '+05:30',
      'UTC',
      ['cron(30 22 ? * SUN,MON,TUE,WED,THU *)', 'cron(30 6 ? * MON,TUE,WED,THU,FRI *)'],
    ],
    ['monthly', '1,03:00:00', 0, '+05:30', 'UTC', ['cron(30 21 L * ? *)']],
    ['monthly', '15,03:00:00', 0, '+05:30', 'UTC', ['cron(30 21 14 * ? *)']],
    ['monthly', '31,03:00:00', 0, '+05:30', 'UTC', ['cron(30 21 30 1,3,5,7,8,10,12 ? *)']],
    ['monthly', '1,20:00:00', 0, '-09:30', 'UTC', ['cron(30 5 2 * ? *)']],
    ['cron', '0 3 1 3 *', 0, '+05:30', 'UTC', ['cron(30 21 L 2 ? *)']],
    ['cron', '0 3 L * *', 0, '+09:00', 'Etc/GMT-9', ['cron(0 3 L * ? *)']],
    ['cron', '0 3 * 2 *', 0, 'GMT-03:00', 'UTC', ['cron(0 6 * 2 ? *)']],
    ['cron', '0 22 * 2 *', 0, 'GMT-03:00', 'Etc/GMT+3', ['cron(0 22 * 2 ? *)']],
    ['minutes_interval', '15', 0, '+05:45', 'UTC', ['cron(0,15,30,45 * * * ? *)']],
    ['hourly', '00:00', 0, '+05:30', 'UTC', ['cron(30 * * * ? *)']],
    ['seconds_interval', '300', 0, '+05:30', 'UTC', ['cron(0,5,10,15,20,25,30,35,40,45,50,55 * * * ? *)']],
  ])('%s>: %s with delay %i at %s is in %s', (kind, at, delay, zone, timezone, expressions) => {
    expect(scheduleExpression(spec(kind, at, { delay }), zone, NOW)).toMatchObject({
      timezone,
      expressions,
      catchUp: [],
    });
  });

  it.each<[ScheduleKind, string, string]>([
    ['cron', '0 3 L * *', '+05:30'],
    ['monthly', '29,03:00:00', '+05:30'],
    ['cron', '0 3 * 2 *', '+05:30'],
    ['monthly', '30,20:00:00', '-09:30'],
    ['daily', '07:00:00', '+05:30:15'],
  ])('%s>: %s at %s has no expression, but a place as zone', (kind, at, zone) => {
    expect(scheduleExpression(spec(kind, at), zone, NOW)).toMatchObject({ note: expect.stringMatching(/ place/) });
  });

  it('knows its days in the zone of the workflow; the last day is whole', () => {
    const found = scheduleExpression(
      spec('daily', '07:00:00', { start: '2030-07-01', end: '2030-07-31' }),
      'Asia/Tokyo',
      NOW,
    );
    expect(found).toMatchObject({
      timezone: 'Asia/Tokyo',
      startDate: '2030-06-30T21:59:00.000Z',
      endDate: '2030-07-31T14:59:59.000Z',
      ended: false,
    });
  });

  it('trap: a start that is past is left out, and a schedule whose end is past is ended', () => {
    const found = scheduleExpression(spec('daily', '07:00:00', { start: '2029-01-01', end: '2029-12-31' }), 'UTC', NOW);
    expect(found).toMatchObject({ ended: true });
    expect(found).not.toHaveProperty('startDate');
    expect(found).not.toHaveProperty('endDate');
  });

  it.each<[ScheduleKind, string, string, number, { expression: string; delay: number }[]]>([
    ['daily', '02:30:00', 'Europe/Berlin', 0, [{ expression: 'cron(30 3 ? 3 SUN *)', delay: 12_600 }]],
    ['daily', '02:30:00', 'America/New_York', 0, [{ expression: 'cron(30 3 ? 3 SUN *)', delay: 12_600 }]],
    ['daily', '02:10:00', 'Australia/Lord_Howe', 0, [{ expression: 'cron(40 2 ? 10 SUN *)', delay: 9600 }]],
    ['daily', '00:00:00', 'Asia/Beirut', 0, [{ expression: 'cron(0 1 ? 3 SUN *)', delay: 3600 }]],
    ['weekly', 'Sun,02:30:00', 'Europe/Berlin', 0, [{ expression: 'cron(30 3 ? 3 SUN *)', delay: 12_600 }]],
    ['monthly', '30,02:30:00', 'Europe/Berlin', 0, [{ expression: 'cron(30 3 30 3 ? *)', delay: 12_600 }]],
    ['daily', '26:30:00', 'Europe/Berlin', 0, [{ expression: 'cron(30 3 ? 3 SUN *)', delay: 99_000 }]],
    // The last Sunday of March is the 31st in 2030, and then in 2041.
    ['monthly', '31,02:30:00', 'Europe/Berlin', 0, []],
    ['cron', '0,30 1-3 * * *', 'Europe/Berlin', 1800, [{ expression: 'cron(0 3 ? 3 SUN *)', delay: 5400 }]],
    ['monthly', '1,02:30:00', 'Europe/Berlin', 0, []],
    ['weekly', 'Mon,02:30:00', 'Europe/Berlin', 0, []],
    ['daily', '07:00:00', 'Europe/Berlin', 0, []],
    ['daily', '02:30:00', 'Asia/Tokyo', 0, []],
    ['hourly', '30:00', 'Europe/Berlin', 0, []],
    ['minutes_interval', '10', 'Europe/Berlin', 0, []],
  ])('%s>: %s in %s with delay %i catches up on what a day leaves out', (kind, at, zone, delay, catchUp) => {
    expect(scheduleExpression(spec(kind, at, { delay }), zone, NOW)).toMatchObject({ catchUp });
  });

  it('runs every minute by UTC, also in an hour that a day has twice', () => {
    expect(scheduleExpression(spec('minutes_interval', '1'), 'Europe/Berlin', NOW)).toMatchObject({ timezone: 'UTC' });
  });

  it('runs an interval of seconds by UTC, as it is counted', () => {
    expect(scheduleExpression(spec('seconds_interval', '21600'), 'Asia/Kolkata', NOW)).toMatchObject({
      timezone: 'UTC',
    });
  });

  // The same runs as the scheduler that says them here, read by a cron of AWS's form.
  it.each<[ScheduleKind, string, number]>([
    ['hourly', '15:00', 0],
    ['weekly', 'Tue-Thu,26:10:00', 0],
    ['monthly', '28,00:00:00', 0],
    ['minutes_interval', '25', 600],
    ['cron', '5 */7 L * *', 0],
    ['cron', '10,50 23 1-3 * *', 1200],
    ['seconds_interval', '10800', 60],
  ])('%s>: %s with delay %i names the runs of the scheduler', (kind, at, delay) => {
    const schedule = spec(kind, at, { delay });
    const found = scheduleExpression(schedule, 'UTC', NOW);
    const scheduler = makeScheduler(schedule, 'UTC');
    if ('fault' in found || typeof scheduler === 'string') throw new Error('no schedule');
    const expected: number[] = [];
    for (let next = scheduler.first(NOW); expected.length < 40; next = scheduler.next(next.time))
      expected.push(next.run);
    expect(runs(found.expressions, NOW, expected.length)).toEqual(expected);
  });
});

/** The next runs of several `cron(…)`, minute by minute. */
function runs(expressions: readonly string[], from: number, count: number): number[] {
  const found: number[] = [];
  for (let time = from; found.length < count; time += 60_000) {
    if (expressions.some((expression) => matches(expression, new Date(time)))) found.push(time);
  }
  return found;
}

const NAMES = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];

function matches(expression: string, time: Date): boolean {
  const [minute = '', hour = '', day = '', month = '', week = ''] = expression.slice(5, -1).split(' ');
  const has = (field: string, value: number) =>
    field === '*' ||
    field === '?' ||
    field.split(',').some((part) => {
      const [low = 0, high = low] = part
        .split('-')
        .map((text) => (NAMES.includes(text) ? NAMES.indexOf(text) : Number(text)));
      return value >= low && value <= high;
    });
  const last = new Date(time.getTime() + 86_400_000).getUTCDate() === 1;
  return (
    has(minute, time.getUTCMinutes()) &&
    has(hour, time.getUTCHours()) &&
    (day === 'L' ? last : has(day, time.getUTCDate())) &&
    has(month, time.getUTCMonth() + 1) &&
    has(week, time.getUTCDay())
  );
}
