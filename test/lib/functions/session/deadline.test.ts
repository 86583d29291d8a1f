import { expect, it } from 'vitest';
import { deadline } from '../../../../lib/functions/session/deadline.ts';

it.each<[object, string, string, string]>([
  [{ duration: '01:30:00' }, 'Asia/Tokyo', '2030-01-31T10:00:00Z', '2030-01-31T11:30:00.000Z'],
  [{ duration: '100:00' }, 'UTC', '2030-01-31T10:00:00.250Z', '2030-02-04T14:00:00.000Z'],
  [{ time: '02:00' }, 'Asia/Tokyo', '2030-01-31T10:00:00Z', '2030-01-31T17:00:00.000Z'],
  [{ time: '02:00:30' }, 'UTC', '2030-01-31T01:59:00Z', '2030-01-31T02:00:30.000Z'],
  [{ time: '02:00' }, 'UTC', '2030-01-31T02:00:00Z', '2030-02-01T02:00:00.000Z'],
  [{ time: '26:00' }, 'UTC', '2030-01-31T01:00:00Z', '2030-02-01T02:00:00.000Z'],
  // The night when Berlin's clocks go forward has no 02:30.
  [{ time: '02:30' }, 'Europe/Berlin', '2030-03-30T23:00:00Z', '2030-03-31T01:30:00.000Z'],
])('%j in %s from %s on is %s', (sla, zone, start, expected) => {
  expect(deadline(sla, zone, start)).toBe(expected);
});
