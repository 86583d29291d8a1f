/** A time zone that is an offset from UTC, in the forms of java.time.ZoneId.of. */
export interface ZoneOffset {
  /** As Java names it: `+05:30`, `Z`, `UTC+09:00`. */
  readonly id: string;
  /** East of UTC. */
  readonly milliseconds: number;
}

/** `+9`, `+09`, `+0930`, `+09:30`, both with seconds too; the same after `UTC`, `GMT` or `UT`, and these and `Z` by themselves. */
const FORM = /^(?:(Z|UTC|GMT|UT)|(UTC|GMT|UT)?([+-])(?:(\d)|(\d\d)(?:(\d\d)(\d\d)?|:(\d\d)(?::(\d\d))?)?))$/;
const MOST_SECONDS = 18 * 3600;

/** Undefined for any other text, e.g. a place (`Asia/Tokyo`). */
export function zoneOffset(text: string): ZoneOffset | undefined {
  const match = FORM.exec(text);
  if (match === null) return undefined;
  const [, name, prefix = '', sign, hour, hours, minutes, seconds, minutesToo, secondsToo] = match;
  if (name !== undefined) return { id: name, milliseconds: 0 };
  const [h, m, s] = [hour ?? hours, minutes ?? minutesToo, seconds ?? secondsToo].map((part) => Number(part ?? 0)) as [
    number,
    number,
    number,
  ];
  const total = h * 3600 + m * 60 + s;
  if (m > 59 || s > 59 || total > MOST_SECONDS) return undefined;
  if (total === 0) return { id: prefix === '' ? 'Z' : prefix, milliseconds: 0 };
  const written = [h, m, ...(s === 0 ? [] : [s])].map((part) => String(part).padStart(2, '0')).join(':');
  return { id: `${prefix}${sign}${written}`, milliseconds: (sign === '-' ? -total : total) * 1000 };
}
