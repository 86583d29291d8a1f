import type { Failure } from '../../lib/expression/wire.ts';
import type { Value } from '../../lib/language/workflow.ts';

const UNITS: { readonly [unit: string]: number } = { d: 86_400, h: 3600, m: 60, s: 1 };

/** `90`, `"90"`, `30m`, `1h 30m` in seconds; undefined for anything else. */
export function seconds(value: Value | undefined): number | undefined {
  if (typeof value === 'number') return Number.isFinite(value) && value >= 0 ? value : undefined;
  if (typeof value !== 'string') return undefined;
  const text = value.trim();
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text);
  if (!/^(\d+\s*[dhms]\s*)+$/.test(text)) return undefined;
  let sum = 0;
  for (const [, count, unit] of text.matchAll(/(\d+)\s*([dhms])/g)) sum += Number(count) * (UNITS[unit ?? 's'] ?? 1);
  return sum;
}

/** A rendered `_retry`: a number, or `{limit, interval, interval_type, max_interval}`; undefined where it is neither. */
export function retryOf(value: Value | undefined): Failure['retry'] {
  if (typeof value === 'string' && /^\s*\{/.test(value)) return retryOf(parsed(value));
  if (typeof value === 'number' || typeof value === 'string') {
    const limit = whole(value);
    return limit === undefined ? undefined : { limit, interval: 0, exponential: false };
  }
  if (value === null || value === undefined || typeof value !== 'object' || Array.isArray(value)) return undefined;
  const limit = whole(value.limit ?? null);
  if (limit === undefined) return undefined;
  const maxInterval = seconds(value.max_interval);
  return {
    limit,
    interval: seconds(value.interval) ?? 0,
    exponential: value.interval_type === 'exponential',
    ...(maxInterval === undefined ? {} : { maxInterval }),
  };
}

function whole(value: Value): number | undefined {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  return typeof number === 'number' && Number.isInteger(number) && number >= 0 ? number : undefined;
}

function parsed(text: string): Value | undefined {
  try {
    return JSON.parse(text) as Value;
  } catch {
    return undefined;
  }
}
