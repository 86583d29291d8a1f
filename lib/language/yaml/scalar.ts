/**
 * digdag's implicit typing of plain scalars: SnakeYAML 1.23 as changed by digdag's YamlTagResolver. Stricter than YAML 1.1
 * (`yes`, dates and `10:00:00` stay text), and unlike 1.2 (`017` is octal, `0.5` is text).
 */
const BOOL = /^(?:[Tt]rue|[Ff]alse)$/;
const NULL = /^(?:~|null|Null|NULL|)$/;
const INT = /^(?:[-+]?0b[0-1_]+|[-+]?0[0-7_]+|[-+]?(?:0|[1-9][0-9_]*)|[-+]?0x[0-9a-fA-F_]+)$/;
const FLOAT = /^[-+]?(?:\.[0-9]+|[1-9][0-9_]*(?:\.[0-9_]*)?)(?:[eE][-+]?[0-9]+)?$/;
/** digdag turns these into JSON, which has no such numbers: Jackson writes them as text. */
const NOT_FINITE = /^(?:[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$/;

/** The value of an unquoted scalar. An integer that JavaScript cannot hold exactly comes back as a bigint. */
export function typedScalar(text: string): null | boolean | number | bigint | string {
  const first = text.charCodeAt(0);
  // Most scalars are words: their first letter rules out everything but null and the Booleans.
  if (first > 0x39 && text.length > 5) return text;
  if (NULL.test(text)) return null;
  if (BOOL.test(text)) return text === 'true' || text === 'True';
  if (INT.test(text)) return integer(text) ?? text;
  if (FLOAT.test(text)) return Number(text.replaceAll('_', ''));
  if (NOT_FINITE.test(text)) return notFinite(text);
  return text;
}

/** Python reads at most this many digits as a number; a longer one stays text. */
const MOST_DIGITS = 4_300;

function integer(text: string): number | bigint | undefined {
  const negative = text.startsWith('-');
  const digits = text.replace(/^[-+]/, '').replaceAll('_', '');
  const js = /^0[0-7]+$/.test(digits) ? `0o${digits.slice(1)}` : digits;
  if (!/[0-9a-fA-F]$/.test(js) || js === '0b' || js.length > MOST_DIGITS) return undefined;
  const big = BigInt(js);
  const value = negative ? -Number(big) : Number(big);
  return Number.isSafeInteger(value) ? value + 0 : negative ? -big : big;
}

function notFinite(text: string): string {
  if (text.toLowerCase().endsWith('nan')) return 'NaN';
  return text.startsWith('-') ? '-Infinity' : 'Infinity';
}

/** A text or number as digdag coerces it where an integer is wanted: `"2"` is 2, `1.5` and `"x"` are none. */
export function asInteger(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? value : undefined;
  if (typeof value !== 'string' || !/^\s*[-+]?[0-9]+\s*$/.test(value)) return undefined;
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : undefined;
}

/** `true`, `"true"`; anything else is no Boolean. The empty text is false only where `emptyIsFalse` (if>). */
export function asBoolean(value: unknown, emptyIsFalse = false): boolean | undefined {
  if (typeof value === 'boolean') return value;
  if (value === 'true') return true;
  if (value === 'false' || (emptyIsFalse && value === '')) return false;
  return undefined;
}

/** Whether a value is a text that lib/expression would evaluate. */
export function hasTemplate(value: unknown): value is string {
  return typeof value === 'string' && value.includes('${');
}
