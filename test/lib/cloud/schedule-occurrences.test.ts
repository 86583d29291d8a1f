/**
 * Sessions that start on AWS over a year, against digdag's. EventBridge Scheduler is played: a cron of its form is read here minute by
 * minute in its zone; a time that does not exist is skipped, and one that occurs twice runs once (which of the two is not documented: both
 * are tried). What it fires goes through the function `session`, whose executions have one name each.
 * Covers lib/cloud/schedule-expression.ts, lib/functions/session/scheduled.ts.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ScheduleExpression, scheduleExpression } from '../../../lib/cloud/schedule-expression.ts';
import { PROTOCOL } from '../../../lib/contract/payload.ts';
import { makeScheduler, type ScheduleSpec } from '../../../lib/expression/schedule.ts';
import { formatSessionTime } from '../../../lib/expression/session.ts';
import { scheduled } from '../../../lib/functions/session/scheduled.ts';
import { parseWorkflow } from '../../../lib/language/dig/parse-workflow.ts';
import type { ScheduleKind } from '../../../lib/language/workflow.ts';

const SEED = Number(process.env.TROWEL_SEED ?? 1);
const RUNS = Number(process.env.TROWEL_RUNS ?? 50);

const MINUTE = 60_000;
const DAY = 86_400_000;
/** Days that are compared: a year, or what is around a change of clocks where a schedule runs often. */
interface Period {
  readonly from: number;
  readonly to: number;
}
const period = (from: string, to: string): Period => ({ from: Date.parse(from), to: Date.parse(to) });
const YEAR = period('2030-01-01T00:00:00Z', '2031-01-01T00:00:00Z');
const SPRING = period('2030-03-01T00:00:00Z', '2030-04-12T00:00:00Z');
const AUTUMN = period('2030-09-25T00:00:00Z', '2030-11-08T00:00:00Z');
/** Sessions of a year. */
const OFTEN = 600;

/** Berlin +1/+2; New York; Lord Howe puts the clock 30 minutes forward, Beirut at midnight, Chatham has quarters; the others never, and Scheduler knows no offsets. */
const ZONES = [
  ...['Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Beirut', 'Pacific/Chatham'],
  ...['UTC', 'Asia/Tokyo', 'Asia/Kolkata'],
  ...['+05:30', '+09:00', 'UTC-3', '-09:30', 'GMT+14', 'Z'],
];

describe('over a year, Scheduler and `session` start the sessions of digdag', () => {
  it(`in ${RUNS} generated schedules`, { timeout: 4000 * RUNS + 300_000 }, async () => {
    let compared = 0;
    const property = fc.asyncProperty(schedules, fc.constantFrom(...ZONES), fc.boolean(), async (spec, zone, later) => {
      const found = scheduleExpression(spec, zone, YEAR.from - 30 * DAY);
      if ('fault' in found) {
        expect(found.fault).toMatch(/EventBridge Scheduler/);
        return;
      }
      expect(FIXED[found.timezone]).toBe(undefined);
      const often = digdag(spec, zone, { from: YEAR.from, to: YEAR.from + 20 * DAY }).size * 18 > OFTEN;
      const days = !often ? YEAR : later ? SPRING : AUTUMN;
      const expected = digdag(spec, zone, days);
      const started = await aws(spec, zone, found, later, days);
      compared += expected.size;
      // Of several sessions in what a day leaves out digdag has the first, Trowel all.
      for (const session of started.keys())
        if (!expected.has(session) && follows(zone, session)) started.delete(session);
      expect([...started.keys()].sort()).toEqual([...expected.keys()].sort());
      for (const [session, run] of started) {
        const wanted = expected.get(session) ?? Number.NaN;
        // Trowel runs by the clock on the wall, digdag counts the time that passes: they part where the clock is changed in between.
        const changed = [wanted, run].some((time) => isNearChange(zone, time));
        if (!changed) expect(new Date(run).toISOString()).toBe(new Date(wanted).toISOString());
        expect(Math.abs(run - wanted)).toBeLessThanOrEqual(120 * MINUTE);
      }
    });
    await fc.assert(property, { seed: SEED, numRuns: RUNS });
    expect(compared).toBeGreaterThan(RUNS * 10);
  });

  it.each<[ScheduleKind, string, number, string, string, string[]]>([
    // Put forward at 02:00: the day loses 02:30.
    ['daily', '02:30:00', 0, 'Europe/Berlin', '2030-03-31', ['2030-03-31T00:00:00+01:00 at 03:30+02:00']],
    ['cron', '30 2 * * *', 0, 'Europe/Berlin', '2030-03-31', ['2030-03-31T03:30:00+02:00 at 03:30+02:00']],
    // Put back at 03:00: the day has 02:30 twice, and it is the later session, as in digdag.
    ['daily', '02:30:00', 0, 'Europe/Berlin', '2030-10-27', ['2030-10-27T00:00:00+02:00 at 02:30+01:00']],
    ['cron', '30 2 * * *', 0, 'Europe/Berlin', '2030-10-27', ['2030-10-27T02:30:00+01:00 at 02:30+01:00']],
    ['daily', '07:00:00', 0, 'Europe/Berlin', '2030-03-31', ['2030-03-31T00:00:00+01:00 at 07:00+02:00']],
    ['monthly', '31,02:30:00', 0, 'Europe/Berlin', '2030-03-31', ['2030-03-31T00:00:00+01:00 at 03:30+02:00']],
    ['daily', '00:00:00', 0, 'Asia/Beirut', '2030-03-31', ['2030-03-31T01:00:00+03:00 at 01:00+03:00']],
  ])('%s>: %s, delay %i, in %s on %s', async (kind, at, delay, zone, day, expected) => {
    const spec = { kind, at, delay, skipOnOvertime: false };
    const found = scheduleExpression(spec, zone, YEAR.from);
    if ('fault' in found) throw new Error(found.fault);
    const started = await aws(spec, zone, found, true, YEAR);
    const shown = [...started].map(
      ([session, run]) =>
        `${session} at ${formatSessionTime(run, zone).slice(11, 16)}${formatSessionTime(run, zone).slice(19)}`,
    );
    expect(shown.filter((text) => text.startsWith(day))).toEqual(expected);
  });

  it('starts every minute of the day that has an hour twice', async () => {
    const spec: ScheduleSpec = { kind: 'minutes_interval', at: '1', delay: 0, skipOnOvertime: false };
    const found = scheduleExpression(spec, 'Europe/Berlin', AUTUMN.from);
    if ('fault' in found) throw new Error(found.fault);
    const sessions = [...(await aws(spec, 'Europe/Berlin', found, false, AUTUMN)).keys()];
    expect(sessions.filter((session) => session.startsWith('2030-10-27'))).toHaveLength(25 * 60);
  });
});

const clock = (min: number, max: number) => fc.integer({ min, max }).map((n) => String(n).padStart(2, '0'));
const minute = clock(0, 59);
/** Also beyond the day, and in the hours in which clocks are changed. */
const hour = fc.oneof(clock(0, 3), clock(0, 23), clock(24, 49));
const time = fc.tuple(hour, minute).map(([h, m]) => `${h}:${m}:00`);
const field = (min: number, max: number, more: fc.Arbitrary<string>[] = []) =>
  fc.oneof(
    fc.constant('*'),
    fc.integer({ min, max }).map(String),
    fc.tuple(fc.integer({ min, max }), fc.integer({ min, max })).map(([a, b]) => `${a}-${b}`),
    fc.tuple(fc.integer({ min, max }), fc.integer({ min, max })).map(([a, b]) => `${a},${b}`),
    fc.integer({ min: 2, max }).map((step) => `*/${step}`),
    ...more,
  );
const star = fc.constant('*');
const cronLine = fc
  .tuple(
    fc.integer({ min: 0, max: 59 }).map(String),
    field(0, 23),
    fc.oneof(
      fc.tuple(field(1, 31, [fc.constant('L'), fc.constant('15,L')]), fc.oneof(star, field(1, 12)), star),
      fc.tuple(star, fc.oneof(star, field(1, 12)), field(0, 7, [fc.constant('mon-fri')])),
    ),
  )
  .map(([m, h, rest]) => [m, h, ...rest].join(' '));
const delay = fc.oneof(
  fc.constant(0),
  fc.integer({ min: 0, max: 240 }).map((n) => n * 60),
  fc.integer({ min: 0, max: 3000 }).map((n) => n * 60),
);
const date = fc.integer({ min: 5, max: 350 }).map((n) => new Date(YEAR.from + n * DAY).toISOString().slice(0, 10));
const kinds: fc.Arbitrary<{ kind: ScheduleKind; at: string; delay: number }> = fc.oneof(
  minute.map((m) => ({ kind: 'hourly' as const, at: `${m}:00`, delay: 0 })),
  time.map((at) => ({ kind: 'daily' as const, at, delay: 0 })),
  fc
    .tuple(field(0, 7, [fc.constant('Tue'), fc.constant('fri-mon')]), time)
    .map(([day, at]) => ({ kind: 'weekly' as const, at: `${day},${at}`, delay: 0 })),
  fc
    .tuple(fc.integer({ min: 1, max: 31 }), time)
    .map(([day, at]) => ({ kind: 'monthly' as const, at: `${day},${at}`, delay: 0 })),
  fc
    .tuple(fc.integer({ min: 20, max: 59 }).map(String), delay)
    .map(([at, d]) => ({ kind: 'minutes_interval' as const, at, delay: d })),
  fc
    .tuple(fc.constantFrom('1800', '3600', '10800', '43200', '86400', '5000'), delay)
    .map(([at, d]) => ({ kind: 'seconds_interval' as const, at, delay: d })),
  fc.tuple(cronLine, delay).map(([at, d]) => ({ kind: 'cron' as const, at, delay: d })),
  fc.tuple(cronLine, cronLine).map(([a, b]) => ({ kind: 'cron' as const, at: `${a}|${b}`, delay: 0 })),
);
const schedules: fc.Arbitrary<ScheduleSpec> = fc
  .tuple(kinds, fc.option(date, { nil: undefined }), fc.option(date, { nil: undefined }))
  .map(([kind, a, b]) => {
    const [start, end] = a !== undefined && b !== undefined && a > b ? [b, a] : [a, b];
    return { ...kind, skipOnOvertime: false, ...(start !== undefined && { start }), ...(end !== undefined && { end }) };
  })
  .filter((spec) => readable(spec));

/** What lib/language would let through. */
function readable({ kind, at }: ScheduleSpec): boolean {
  const { diagnostics } = parseWorkflow('main', 'main.dig', `schedule: {${kind}>: "${at}"}\n+t: {echo>: a}\n`);
  return diagnostics.every(({ severity }) => severity !== 'error');
}

/** Sessions by their time, with their run. */
function digdag(spec: ScheduleSpec, zone: string, { from, to }: Period): Map<string, number> {
  const scheduler = makeScheduler(spec, zone);
  if (typeof scheduler === 'string') throw new Error(scheduler);
  const found = new Map<string, number>();
  // From well before, for sessions whose run is in the year.
  for (let next = scheduler.first(from - 5 * DAY); next.time < to - 5 * DAY; next = scheduler.next(next.time)) {
    if (next.time >= from) found.set(formatSessionTime(next.time, zone), next.run);
  }
  return found;
}

async function aws(
  spec: ScheduleSpec,
  zone: string,
  found: ScheduleExpression,
  later: boolean,
  days: Period,
): Promise<Map<string, number>> {
  const started = new Map<string, number>();
  const names = new Map<string, string>();
  const runs = [
    ...found.expressions.map((expression) => ({ expression, delay: found.delay })),
    ...found.catchUp,
  ].flatMap(({ expression, delay: seconds }) =>
    occurrences(expression, found.timezone, later, days).map((run) => ({ run, seconds })),
  );
  const { startDate = '', endDate } = found;
  for (const { run, seconds } of runs.sort((a, b) => a.run - b.run)) {
    if (run < (Date.parse(startDate) || 0) || (endDate !== undefined && run > Date.parse(endDate))) continue;
    const payload = {
      ...{ v: PROTOCOL, workflow: 'main', timezone: zone, schedule: spec, zone: found.timezone, delay: seconds },
      ...{ scheduled: new Date(run).toISOString().replace('.000', ''), machine: 'arn', prefix: 'main' },
    };
    await scheduled(payload, {
      now: () => run,
      running: async () => false,
      start: async (_, name, { session_time }) => {
        if (names.has(name)) return false;
        names.set(name, session_time);
        const at = Date.parse(session_time);
        if (at >= days.from && at < days.to - 5 * DAY) started.set(session_time, run);
        return true;
      },
    });
  }
  return started;
}

const WEEKDAYS = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];

/** By the fields' documentation: lists and ranges, `L` the last day, `?` and `*` any. */
function occurrences(expression: string, zone: string, later: boolean, { from, to }: Period): number[] {
  const [minutes = '', hours = '', days = '', months = '', week = '', year] = expression
    .slice('cron('.length, -1)
    .split(' ');
  expect(year).toBe('*');
  expect([days, week].filter((text) => text === '?')).toHaveLength(1);
  const has = (text: string, value: number) =>
    text === '*' ||
    text === '?' ||
    text.split(',').some((part) => {
      const [low = 0, high = low] = part
        .split('-')
        .map((end) => (WEEKDAYS.includes(end) ? WEEKDAYS.indexOf(end) : Number(end)));
      return value >= low && value <= high;
    });
  const found: number[] = [];
  for (let day = from - 3 * DAY; day < to; day += DAY) {
    const date = new Date(day);
    const last = new Date(day + DAY).getUTCDate() === 1;
    if (!has(months, date.getUTCMonth() + 1) || !has(week, date.getUTCDay())) continue;
    if (days === 'L' ? !last : !has(days, date.getUTCDate())) continue;
    for (let h = 0; h < 24; h += 1) {
      if (!has(hours, h)) continue;
      for (let m = 0; m < 60; m += 1) {
        if (!has(minutes, m)) continue;
        const times = instantsOf(day + (h * 60 + m) * MINUTE, zone);
        const one = later ? times.at(-1) : times[0];
        if (one !== undefined) found.push(one);
      }
    }
  }
  return found;
}

const offsets = new Map<string, number>();
const formats = new Map<string, Intl.DateTimeFormat>();
/** Minutes. */
const FIXED: { readonly [zone: string]: number } = {
  ...{ '+05:30': 330, '+09:00': 540, 'UTC-3': -180, '-09:30': -570, 'GMT+14': 840, Z: 0 },
};

/** Minutes east of UTC, asked of Intl: nothing of lib/expression. */
function offset(zone: string, instant: number): number {
  const fixed = FIXED[zone];
  if (fixed !== undefined) return fixed;
  // No zone changes more often than each half hour.
  const at = Math.floor(instant / (30 * MINUTE)) * 30 * MINUTE;
  const key = `${zone} ${at}`;
  let known = offsets.get(key);
  if (known === undefined) {
    const format = formats.get(zone) ?? new Intl.DateTimeFormat('en', { timeZone: zone, timeZoneName: 'longOffset' });
    formats.set(zone, format);
    const text = format.format(at);
    const [, sign = '+', h = '0', m = '0'] = /GMT(?:([+-])(\d\d):(\d\d))?$/.exec(text) ?? [];
    known = (sign === '-' ? -1 : 1) * (Number(h) * 60 + Number(m));
    offsets.set(key, known);
  }
  return known;
}

/** The instants of a wall time: none, one or two. */
function instantsOf(wall: number, zone: string): number[] {
  const around = [offset(zone, wall - DAY), offset(zone, wall + DAY)];
  const all = [...new Set(around)].map((minutes) => wall - minutes * MINUTE);
  return all.filter((instant) => instant + offset(zone, instant) * MINUTE === wall).sort((a, b) => a - b);
}

/** Whether the clock is changed within the three days before, in which a delay counts. */
function isNearChange(zone: string, time: number): boolean {
  return offset(zone, time - 3 * DAY) !== offset(zone, time + DAY);
}

/** Whether the clock is put forward within the two hours before. */
function follows(zone: string, session: string): boolean {
  const time = Date.parse(session);
  return offset(zone, time) > offset(zone, time - 120 * MINUTE);
}
