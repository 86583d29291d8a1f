import { describe, expect, it } from 'vitest';
import { formatSessionTime } from '../../../lib/expression/session.ts';
import { isWellWritten, zoneHint, zoneOf } from '../../../lib/language/timezone.ts';
import { zoneOffset } from '../../../lib/language/zone-offset.ts';

const AT = Date.parse('2030-01-31T00:00:00Z');

/** Of java.time.ZoneId.of: text, its id, and the session time of AT there. */
const OFFSETS: [string, string, string][] = [
  ['Z', 'Z', '2030-01-31T00:00:00+00:00'],
  ['UTC', 'UTC', '2030-01-31T00:00:00+00:00'],
  ['GMT', 'GMT', '2030-01-31T00:00:00+00:00'],
  ['UT', 'UT', '2030-01-31T00:00:00+00:00'],
  ['+05:30', '+05:30', '2030-01-31T05:30:00+05:30'],
  ['+0530', '+05:30', '2030-01-31T05:30:00+05:30'],
  ['-03:30', '-03:30', '2030-01-30T20:30:00-03:30'],
  ['+9', '+09:00', '2030-01-31T09:00:00+09:00'],
  ['+09', '+09:00', '2030-01-31T09:00:00+09:00'],
  ['UTC+9', 'UTC+09:00', '2030-01-31T09:00:00+09:00'],
  ['GMT+09:00', 'GMT+09:00', '2030-01-31T09:00:00+09:00'],
  ['UT-0930', 'UT-09:30', '2030-01-30T14:30:00-09:30'],
  ['+18:00', '+18:00', '2030-01-31T18:00:00+18:00'],
  ['+00:00', 'Z', '2030-01-31T00:00:00+00:00'],
  ['UTC+0', 'UTC', '2030-01-31T00:00:00+00:00'],
  ['+01:30:00', '+01:30', '2030-01-31T01:30:00+01:30'],
];

describe('offsets as time zones', () => {
  it.each(OFFSETS)('%s is %s', (text, id, time) => {
    expect(zoneOf(text)).toBe(id);
    expect(isWellWritten(text)).toBe(true);
    expect(formatSessionTime(AT, text)).toBe(time);
    expect(formatSessionTime(AT, id)).toBe(time);
  });

  it.each(['z', '+', '+9:30', '+930', '+09:60', '+18:00:01', '-19', 'UTC9', 'utc+9', 'GMT+', '09:00', 'UTC+09:0', ''])(
    'not %j',
    (text) => {
      expect(zoneOffset(text)).toBe(undefined);
      expect(zoneOf(text)).toBe(undefined);
    },
  );

  it.each([
    ['9', "Did you mean '+09:00'"],
    ['-3', "Did you mean '-03:00'"],
    ['utc+9', "Did you mean '+09:00'"],
    ['+9:30', "Did you mean '+09:30'"],
    ['JST+9', "Did you mean '+09:00'"],
    ['+25', 'at most 18 hours'],
    ['Tokyo', "Did you mean 'Asia/Tokyo'"],
  ])('of %s: %s', (text, hint) => {
    expect(zoneHint(text)).toContain(hint);
  });
});
