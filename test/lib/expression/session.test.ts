import { describe, expect, it } from 'vitest';
import type { ScheduleSpec } from '../../../lib/expression/schedule.ts';
import { builtinNames, formatSessionTime, sessionTimeFor, sessionVariables } from '../../../lib/expression/session.ts';
import { isZone } from '../../../lib/expression/zone.ts';

const ids = { session_uuid: 'u', session_id: 1, project_id: 1, attempt_id: 1 };
const daily: ScheduleSpec = { kind: 'daily', at: '04:30:00', delay: 0, skipOnOvertime: false };

describe('sessionVariables', () => {
  it('without zone and schedule', () => {
    const variables = sessionVariables({ timezone: 'UTC', sessionTime: Date.parse('2021-08-09T10:11:12Z'), ids });
    expect(variables).toEqual({
      timezone: 'UTC',
      session_uuid: 'u',
      session_time: '2021-08-09T10:11:12+00:00',
      session_id: 1,
      session_date: '2021-08-09',
      session_date_compact: '20210809',
      session_local_time: '2021-08-09 10:11:12',
      session_tz_offset: '+0000',
      session_unixtime: 1628503872,
      last_executed_session_time: '',
      last_executed_session_date: '',
      last_executed_session_date_compact: '',
      last_executed_session_local_time: '',
      last_executed_session_tz_offset: '+0000',
      last_executed_session_unixtime: '',
      project_id: 1,
      attempt_id: 1,
    });
    expect(builtinNames(false)).toEqual(expect.arrayContaining(Object.keys(variables)));
  });

  it('with a schedule in a zone', () => {
    const variables = sessionVariables({
      timezone: 'Asia/Tokyo',
      sessionTime: Date.parse('2030-03-01T00:00:00+09:00'),
      schedule: daily,
      ids: { ...ids, retry_attempt_name: 'again' },
    });
    expect(variables).toMatchObject({
      session_unixtime: 1898521200,
      session_tz_offset: '+0900',
      last_session_time: '2030-02-28T00:00:00+09:00',
      last_session_date: '2030-02-28',
      last_session_date_compact: '20300228',
      last_session_local_time: '2030-02-28 00:00:00',
      next_session_time: '2030-03-02T00:00:00+09:00',
      next_session_tz_offset: '+0900',
      next_session_unixtime: 1898607600,
      retry_attempt_name: 'again',
    });
    expect(builtinNames(true)).toContain('next_session_unixtime');
  });

  it('takes last_session_time and the like from parameters without a schedule', () => {
    const params = {
      last_session_time: '2030-01-01T00:00:00+09:00',
      next_session_time: 'x',
      last_executed_session_time: '2029-01-01T00:00:00+00:00',
    };
    const variables = sessionVariables({ timezone: 'Asia/Tokyo', sessionTime: 0, params, ids });
    expect(variables).toMatchObject({ last_session_date: '2030-01-01', last_executed_session_date: '2029-01-01' });
    expect(variables).not.toHaveProperty('next_session_date');
  });

  it.each([
    ['America/St_Johns', '2030-01-01T00:00:00Z', '2029-12-31T20:30:00-03:30'],
    ['Asia/Kathmandu', '2030-01-01T00:00:00Z', '2030-01-01T05:45:00+05:45'],
    ['+09:00', '2030-01-01T00:00:00Z', '2030-01-01T09:00:00+09:00'],
    ['UTC', '0099-01-01T00:00:00Z', '0099-01-01T00:00:00+00:00'],
  ])('formats in %s', (timezone, time, expected) => {
    expect(formatSessionTime(Date.parse(time), timezone)).toBe(expected);
  });
});

describe('sessionTimeFor', () => {
  const now = Date.parse('2030-05-10T13:14:15.678Z');
  it.each<[string, string, string | undefined]>([
    ['daily', 'Asia/Kathmandu', '2030-05-10T00:00:00+05:45'],
    ['hourly', 'Asia/Kathmandu', '2030-05-10T18:00:00+05:45'],
    ['now', 'UTC', '2030-05-10T13:14:15+00:00'],
    ['last', 'America/New_York', '2030-05-10T00:00:00-04:00'],
    ['2030-07-01', 'Europe/Athens', '2030-07-01T00:00:00+03:00'],
    ['2030-01-31 06:30:00', 'Europe/Athens', '2030-01-31T06:30:00+02:00'],
    ['2030-01-31T06:30:00', 'Europe/Athens', '2030-01-31T06:30:00+02:00'],
    ['2030-01-31T06:30:00+09:00', 'UTC', '2030-01-30T21:30:00+00:00'],
    ['2030-01-31 06:30:00 +0900', 'UTC', '2030-01-30T21:30:00+00:00'],
    ['2030-01-31T06:30:00.5Z', 'UTC', '2030-01-31T06:30:00+00:00'],
    ['2030-03-31 00:30:00', 'Asia/Beirut', '2030-03-31T01:30:00+03:00'],
    ['2030-02-30', 'UTC', undefined],
    ['2030-01-01 24:00:00', 'UTC', undefined],
    ['20300101', 'UTC', undefined],
    ['2030-01-01 10:00', 'UTC', undefined],
    ['yesterday', 'UTC', undefined],
    ['schedule', 'UTC', undefined],
  ])('%s in %s', (value, timezone, expected) => {
    const result = sessionTimeFor(value, { timezone, now });
    expect(result.ok ? formatSessionTime(result.time, timezone) : undefined).toBe(expected);
    if (!result.ok) expect(result.message).toContain(value);
  });

  it('keeps the hour that occurs a second time', () => {
    const second = Date.parse('2030-11-03T01:30:00-05:00');
    const result = sessionTimeFor('hourly', { timezone: 'America/New_York', now: second });
    expect(result).toEqual({ ok: true, time: Date.parse('2030-11-03T01:00:00-05:00') });
  });

  it('uses the latest session, then the schedule', () => {
    const context = { timezone: 'Asia/Tokyo', now, schedule: daily };
    expect(sessionTimeFor('last', { ...context, lastSession: 5000 })).toEqual({ ok: true, time: 5000 });
    for (const word of ['last', 'schedule']) {
      expect(sessionTimeFor(word, context)).toEqual({ ok: true, time: Date.parse('2030-05-10T00:00:00+09:00') });
    }
  });
});

describe('isZone', () => {
  it.each(['UTC', 'Asia/Tokyo', '+09:00', 'GMT+9', 'UTC-03:30', 'Z'])('%s', (zone) => {
    expect(isZone(zone)).toBe(true);
  });
  it.each(['Foo/Bar', '', 'JAPAN TIME', '+25:00', '+9:30', '+18:01', '09:00'])('not %j', (zone) => {
    expect(isZone(zone)).toBe(false);
  });
});
