/** The keys with a leading underscore, each read from its place in the tree into what workflow.ts says. */
import { present } from '../../asl/present.ts';
import { asSeconds } from '../duration.ts';
import type { Report } from '../report.ts';
import { didYouMean } from '../suggest.ts';
import type { Mapping, Parallelism, Retry } from '../workflow.ts';
import { asBoolean, asInteger, hasTemplate } from '../yaml/scalar.ts';
import { type Entry, entryOf, type MapTree, show, toMapping, toValue } from '../yaml/tree.ts';

const ENV_NAME = /^[a-zA-Z_][a-zA-Z_0-9]*$/;
const SEQUENTIAL: Parallelism = { kind: 'sequential' };

/** `_export`; an empty value counts as an empty mapping (all its lines may be comments). */
export function readExport({ value }: Entry, report: Report): Mapping | undefined {
  if (value.kind === 'map') return toMapping(value);
  if (value.kind === 'scalar' && value.value === null) return {};
  report.error(
    'bad-value',
    value.span,
    `\`_export\` wants keys with values, not ${show(toValue(value))}`,
    'Write `_export:` and below it `  name: value`.',
  );
  return undefined;
}

export function readEnv({ value }: Entry, report: Report): Mapping | undefined {
  if (value.kind === 'scalar' && value.value === null) return {};
  if (value.kind !== 'map') {
    report.error(
      'bad-env',
      value.span,
      `\`_env\` wants names with values, not ${show(toValue(value))}`,
      'Write `_env: {NAME: value}`.',
    );
    return undefined;
  }
  for (const { key, keySpan, value: item } of value.entries) {
    if (!ENV_NAME.test(key)) {
      report.error(
        'bad-env',
        keySpan,
        `'${key}' is no name of an environment variable`,
        `Letters, digits and _ are allowed, no digit first: '${key.replace(/[^a-zA-Z_0-9]/g, '_').replace(/^(?=[0-9])/, '_')}'.`,
      );
    }
    if (item.kind !== 'scalar') {
      report.error(
        'bad-env',
        item.span,
        `An environment variable is text; '${key}' is a ${item.kind === 'map' ? 'mapping' : 'list'}`,
        'Write it as JSON text in quotes, or pass it as a parameter.',
      );
    }
  }
  return toMapping(value);
}

/** `_secrets`: mounts. `true`, digdag's old grant, means nothing here. */
export function readSecrets({ value }: Entry, report: Report): Mapping | undefined {
  if (value.kind === 'map') return toMapping(value);
  if (value.kind === 'scalar' && asBoolean(value.value) !== undefined) {
    report.warning(
      'bad-value',
      value.span,
      '`_secrets: true` is an old form without effect',
      'Name secrets where they are used, as ${secret:KEY}.',
    );
    return undefined;
  }
  report.error(
    'bad-value',
    value.span,
    '`_secrets` wants a mapping',
    'For example `_secrets: {pg: {password: my.other.key}}`.',
  );
  return undefined;
}

/** A Boolean written as such; undefined after an error. */
export function readFlag({ key, value }: Entry, report: Report): boolean | undefined {
  const flag = value.kind === 'scalar' ? asBoolean(value.value) : undefined;
  if (flag !== undefined) return flag;
  const template = value.kind === 'scalar' && hasTemplate(value.value);
  report.error(
    'bad-value',
    value.span,
    `\`${key}\` wants true or false, not ${show(toValue(value))}`,
    template
      ? `It is read before the run, so it cannot contain an expression${key === '_disable' ? ': use if>' : ''}.`
      : undefined,
  );
  return undefined;
}

export function readAfter({ value }: Entry, report: Report): string[] {
  const items = value.kind === 'list' ? value.items : [value];
  const names: string[] = [];
  for (const item of items) {
    if (item.kind === 'scalar' && typeof item.value === 'string' && item.value.startsWith('+')) names.push(item.value);
    else
      report.error(
        'bad-after',
        item.span,
        `\`_after\` wants names of tasks, not ${show(toValue(item))}`,
        'For example `_after: [+load, +clean]`.',
      );
  }
  return names;
}

/** `_parallel`. A group's is read before the run; a loop's may be an expression. */
export function readParallel(entry: Entry | undefined, where: 'group' | 'loop', report: Report): Parallelism {
  if (!entry) return SEQUENTIAL;
  const { value } = entry;
  const bad = (message: string, ...notes: string[]): Parallelism => {
    report.error('bad-parallel', value.span, message, ...notes);
    return SEQUENTIAL;
  };
  if (value.kind === 'scalar') {
    const flag = asBoolean(value.value);
    if (flag !== undefined) return { kind: flag ? 'parallel' : 'sequential' };
    if (hasTemplate(value.value)) {
      if (where === 'loop') return { kind: 'expression', value: toValue(value) };
      return bad(
        `Expected 'true' or 'false' for key '_parallel' of a group but got ${show(toValue(value))}`,
        'A group is laid out before the run. In loop>, for_each> and for_range> `_parallel` may be an expression.',
      );
    }
    if (asInteger(value.value) !== undefined) {
      return bad(
        `\`_parallel\` wants true, false or a limit, not ${show(toValue(value))}`,
        `Write \`_parallel: {limit: ${value.value}}\`.`,
      );
    }
  }
  if (value.kind !== 'map') return bad(`\`_parallel\` wants true, false or {limit: N}, not ${show(toValue(value))}`);
  for (const { key, keySpan } of value.entries) {
    if (key !== 'limit') {
      report.error(
        'bad-parallel',
        keySpan,
        `\`_parallel\` has no key '${key}'`,
        didYouMean(key, ['limit']) ?? 'Write `_parallel: {limit: N}`.',
      );
      return SEQUENTIAL;
    }
  }
  const limit = entryOf(value, 'limit')?.value;
  if (limit?.kind === 'scalar') {
    if (where === 'loop' && hasTemplate(limit.value)) return { kind: 'expression', value: toMapping(value) };
    const number = asInteger(limit.value);
    if (number !== undefined) return number > 0 ? { kind: 'limit', limit: number } : { kind: 'parallel' };
  }
  return bad(
    `The limit of \`_parallel\` is a whole number, not ${limit ? show(toValue(limit)) : 'absent'}`,
    'Write `_parallel: {limit: 5}`.',
  );
}

const RETRY_KEYS = ['limit', 'interval', 'interval_type', 'max_interval'];

/** `_retry`. An expression is allowed on a task, not on a group, whose states are made before the run. */
export function readRetry({ value }: Entry, where: 'group' | 'task', report: Report): Retry | undefined {
  const json = toValue(value);
  if (JSON.stringify(json).includes('${') && (value.kind === 'scalar' || value.kind === 'map')) {
    if (where === 'task') return { kind: 'expression', value: json };
    report.error(
      'bad-retry',
      value.span,
      `The \`_retry\` of a group cannot contain an expression: ${show(json)}`,
      'digdag ignores it. Write a number, or put `_retry` on the task that fails.',
    );
    return undefined;
  }
  if (value.kind === 'scalar') {
    const limit = asInteger(value.value);
    if (limit !== undefined && limit >= 0) return { kind: 'literal', limit, interval: 0, exponential: false };
  }
  if (value.kind !== 'map') {
    report.error(
      'bad-retry',
      value.span,
      `\`_retry\` wants a number or {limit, interval, …}, not ${show(json)}`,
      'For example `_retry: 3`, or `_retry: {limit: 3, interval: 30s, interval_type: exponential}`.',
    );
    return undefined;
  }
  return readRetryMap(value, report);
}

function readRetryMap(map: MapTree, report: Report): Retry | undefined {
  for (const { key, keySpan } of map.entries) {
    if (!RETRY_KEYS.includes(key)) {
      report.error(
        'bad-retry',
        keySpan,
        `\`_retry\` has no key '${key}'`,
        didYouMean(key, RETRY_KEYS) ?? `It knows ${RETRY_KEYS.join(', ')}.`,
      );
    }
  }
  const limit = readRetryLimit(map, report);
  if (limit === undefined) return undefined;
  const exponential = readIntervalType(map, report) === 'exponential';
  const interval = readRetrySeconds(map, 'interval', report) ?? 0;
  const maxInterval = readRetrySeconds(map, 'max_interval', report);
  if (maxInterval !== undefined && !exponential) {
    report.warning(
      'bad-retry',
      entryOf(map, 'max_interval')?.value.span,
      '`max_interval` has an effect only with `interval_type: exponential`',
    );
  }
  return {
    kind: 'literal',
    limit,
    interval,
    exponential,
    ...present({ maxInterval: exponential ? maxInterval : undefined }),
  };
}

function readRetryLimit(map: MapTree, report: Report): number | undefined {
  const limit = entryOf(map, 'limit')?.value;
  const count = limit?.kind === 'scalar' ? asInteger(limit.value) : undefined;
  if (count !== undefined && count >= 0) return count;
  report.error(
    'bad-retry',
    (limit ?? map).span,
    limit ? `The limit of \`_retry\` is a whole number, not ${show(toValue(limit))}` : '`_retry` needs a `limit`',
    'For example `_retry: {limit: 3}`.',
  );
  return undefined;
}

function readIntervalType(map: MapTree, report: Report): string {
  const written = entryOf(map, 'interval_type')?.value;
  if (!written) return 'constant';
  const type = String(toValue(written)).toLowerCase();
  if (type !== 'constant' && type !== 'exponential') {
    report.error(
      'bad-retry',
      written.span,
      `\`interval_type\` of \`_retry\` is constant or exponential, not ${show(toValue(written))}`,
      didYouMean(type, ['constant', 'exponential']),
    );
  }
  return type;
}

function readRetrySeconds(map: MapTree, key: string, report: Report): number | undefined {
  const written = entryOf(map, key)?.value;
  if (!written) return undefined;
  const seconds = written.kind === 'scalar' ? asSeconds(written.value) : undefined;
  if (seconds === undefined) {
    report.error(
      'bad-retry',
      written.span,
      `\`${key}\` of \`_retry\` wants whole seconds or a duration, not ${show(toValue(written))}`,
      'For example `30`, `30s`, `1h`.',
    );
  }
  return seconds;
}

/** `_timeout`: seconds, a duration, or an expression. */
export function readTimeout({ value }: Entry, report: Report): number | string | undefined {
  if (value.kind === 'scalar') {
    if (hasTemplate(value.value)) return value.value;
    const seconds = asSeconds(value.value);
    if (seconds !== undefined && seconds > 0) return seconds;
  }
  report.error(
    'bad-duration',
    value.span,
    `\`_timeout\` wants a duration, not ${show(toValue(value))}`,
    'For example `30m`, `1h 30m`, or whole seconds.',
  );
  return undefined;
}
