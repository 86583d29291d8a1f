import { nearest } from './suggest.ts';

/** The zone's own spelling (`asia/tokyo` → `Asia/Tokyo`), or undefined if there is no such zone. */
export function zoneOf(text: string): string | undefined {
  if (text === 'UTC') return text;
  // Numeric offsets are refused by some runtimes and by EventBridge Scheduler; Etc/GMT zones are the portable form.
  if (/^[+-]|^(?:UTC|GMT|UT)[+-]/.test(text)) return undefined;
  try {
    new Intl.DateTimeFormat('en-US', { timeZone: text });
  } catch {
    return undefined;
  }
  return Intl.supportedValuesOf('timeZone').find((zone) => zone.toLowerCase() === text.toLowerCase()) ?? text;
}

/** A sentence that helps with an unknown zone. */
export function zoneHint(text: string): string {
  const offset = /^(?:UTC|GMT|UT)?([+-])0?(\d{1,2})(?::?(\d\d))?$/.exec(text);
  const city = text.split('/').pop()?.toLowerCase().replaceAll(' ', '_') ?? '';
  const zones = Intl.supportedValuesOf('timeZone');
  if (offset && !Number(offset[3] ?? 0)) {
    return `Did you mean 'Etc/GMT${offset[1] === '+' ? '-' : '+'}${offset[2]}' (its sign is reversed), or a place such as 'Asia/Tokyo'?`;
  }
  const best = zones.find((zone) => zone.toLowerCase().endsWith(`/${city}`)) ?? nearest(text, zones, 0.25)[0];
  return best ? `Did you mean '${best}'?` : "Zones have names such as 'UTC', 'Asia/Tokyo', 'America/New_York'.";
}
