import { nearest } from './suggest.ts';
import { zoneOffset } from './zone-offset.ts';

/** The zone's own spelling (`asia/tokyo` → `Asia/Tokyo`, `+9` → `+09:00`), or undefined if there is no such zone. */
export function zoneOf(text: string): string | undefined {
  const offset = zoneOffset(text);
  if (offset !== undefined) return offset.id;
  // Some JavaScript runtimes accept forms of offsets that digdag does not.
  if (/^[+-]|^(?:UTC|GMT|UT)[+-]/.test(text)) return undefined;
  try {
    new Intl.DateTimeFormat('en-US', { timeZone: text });
  } catch {
    return undefined;
  }
  return Intl.supportedValuesOf('timeZone').find((zone) => zone.toLowerCase() === text.toLowerCase()) ?? text;
}

/** Whether a zone is written correctly: places with the right capitals, offsets in any of digdag's forms. */
export function isWellWritten(text: string): boolean {
  return zoneOffset(text) !== undefined || zoneOf(text) === text;
}

/** A sentence that helps with an unknown zone. */
export function zoneHint(text: string): string {
  const offset = /^(?:[a-z]+)?([+-]?)(\d{1,2})(?::?(\d\d))?(?::?\d\d)?$/i.exec(text);
  if (offset) {
    const meant = zoneOffset(`${offset[1] === '-' ? '-' : '+'}${offset[2]?.padStart(2, '0')}:${offset[3] ?? '00'}`);
    return meant === undefined
      ? "An offset is at most 18 hours, as '+05:30'."
      : `Did you mean '${meant.id}'? Write it in quotes.`;
  }
  const city = text.split('/').pop()?.toLowerCase().replaceAll(' ', '_') ?? '';
  const zones = Intl.supportedValuesOf('timeZone');
  const best = zones.find((zone) => zone.toLowerCase().endsWith(`/${city}`)) ?? nearest(text, zones, 0.25)[0];
  return best ? `Did you mean '${best}'?` : "Zones have names such as 'UTC', 'Asia/Tokyo', '+05:30'.";
}
