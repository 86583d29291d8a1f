/** Patterns of EventBridge's rules. A filter that is not known here is an error, not a match. */
import type { Json, Mapping } from './template.ts';

/** @throws Error for a filter that is not known */
export function matches(pattern: Mapping, event: Mapping): boolean {
  return Object.entries(pattern).every(([key, wanted]) => {
    if (key === '$or') return (wanted as Mapping[]).some((each) => matches(each, event));
    const given = event[key];
    if (Array.isArray(wanted)) return wanted.some((filter) => fits(filter, given));
    if (!isMapping(wanted)) throw new Error(`A pattern's value is a list or a mapping, not ${JSON.stringify(wanted)}`);
    if (Array.isArray(given)) return given.some((each) => isMapping(each) && matches(wanted, each));
    return matches(wanted, isMapping(given) ? given : {});
  });
}

function fits(filter: Json, given: Json | undefined): boolean {
  if (isMapping(filter)) {
    const [[name = '', value = null] = []] = Object.entries(filter);
    if (name === 'exists') return (given !== undefined && !isMapping(given)) === value;
    const test = FILTERS[name];
    if (test === undefined) throw new Error(`Unknown filter of a pattern: ${JSON.stringify(filter)}`);
    return given !== undefined && [given].flat().some((each) => test(value, each));
  }
  return given !== undefined && [given].flat().some((each) => each === filter);
}

type Test = (wanted: Json, given: Json) => boolean;

const FILTERS: { readonly [name: string]: Test } = {
  prefix: (wanted, given) => typeof given === 'string' && given.startsWith(String(wanted)),
  suffix: (wanted, given) => typeof given === 'string' && given.endsWith(String(wanted)),
  'equals-ignore-case': (wanted, given) => String(given).toLowerCase() === String(wanted).toLowerCase(),
  'anything-but': (wanted, given) => ![wanted].flat().some((each) => fits(each, given)),
  wildcard: (wanted, given) =>
    typeof given === 'string' && new RegExp(`^${String(wanted).split('*').map(literal).join('.*')}$`, 's').test(given),
  numeric: (wanted, given) => {
    const all = wanted as (string | number)[];
    return (
      typeof given === 'number' &&
      all.every((each, i) => i % 2 === 1 || compare(String(each), given, Number(all[i + 1])))
    );
  },
};

function compare(operator: string, a: number, b: number): boolean {
  const known: { readonly [operator: string]: boolean } = {
    '=': a === b,
    '<': a < b,
    '<=': a <= b,
    '>': a > b,
    '>=': a >= b,
  };
  const holds = known[operator];
  if (holds === undefined) throw new Error(`Unknown comparison ${operator}`);
  return holds;
}

function literal(text: string): string {
  return text.replaceAll(/[.+^${}()|[\]\\?]/g, '\\$&');
}

function isMapping(value: Json | undefined): value is Mapping {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}
