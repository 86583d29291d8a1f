/** `schedule:` at the top of a file. */
import { present } from '../../asl/present.ts';
import { cronFault, weekdayFault } from '../cron.ts';
import { asSeconds, parseDuration } from '../duration.ts';
import type { Report } from '../report.ts';
import { didYouMean } from '../suggest.ts';
import type { Schedule, ScheduleKind } from '../workflow.ts';
import { asBoolean, asInteger } from '../yaml/scalar.ts';
import { type Entry, entryOf, type MapTree, show, toValue } from '../yaml/tree.ts';

interface KindSpec {
  readonly form: string;
  readonly example: string;
  /** What is wrong with a value, or undefined. */
  readonly fault: (text: string) => string | undefined;
  /** `at:` may replace the value; `delay:` may come with it. */
  readonly options: readonly ('at' | 'delay')[];
}

const COMMON = ['skip_on_overtime', 'skip_delayed_by', 'start', 'end'];

export const SCHEDULE_KINDS: { readonly [kind in ScheduleKind]: KindSpec } = {
  hourly: { form: 'mm:ss', example: '30:00', fault: (text) => clockFault(text, 2), options: ['at'] },
  daily: { form: 'hh:mm:ss', example: '07:00:00', fault: (text) => clockFault(text, 3), options: ['at'] },
  weekly: { form: 'day,hh:mm:ss', example: 'Sun,09:00:00', fault: weeklyFault, options: ['at'] },
  monthly: { form: 'D,hh:mm:ss', example: '1,09:00:00', fault: monthlyFault, options: ['at'] },
  minutes_interval: {
    form: 'a number of minutes',
    example: '5',
    fault: (text) => countFault(text, 59),
    options: ['delay'],
  },
  seconds_interval: {
    form: 'a number of seconds',
    example: '30',
    fault: (text) => countFault(text),
    options: ['delay'],
  },
  cron: { form: 'a cron line', example: '42 4 1 * *', fault: cronFault, options: ['delay'] },
};

export function readSchedule(entry: Entry, report: Report): Schedule | undefined {
  const { value } = entry;
  if (value.kind !== 'map') {
    report.error(
      'bad-schedule',
      value.span.end > value.span.start ? value.span : entry.keySpan,
      `\`schedule\` wants a mapping, not ${show(toValue(value))}`,
      'For example `schedule:` and below it `  daily>: 07:00:00`.',
    );
    return undefined;
  }
  const typeEntry = entryOf(value, '_type');
  const operators = value.entries.filter(({ key }) => key.endsWith('>'));
  const head = typeEntry ?? operators[0];
  if (!head) {
    report.error('bad-schedule', entry.keySpan, "Schedule config requires 'type>: at' parameter", missedKind(value));
    return undefined;
  }
  if (operators[1]) {
    report.error(
      'bad-schedule',
      operators[1].keySpan,
      `A schedule has one type; this one has ${operators.map(({ key }) => key).join(' and ')}`,
      'For several times use cron> with `|` between the lines.',
    );
  }
  const name = typeEntry ? String(toValue(typeEntry.value)) : head.key.slice(0, -1);
  if (!Object.hasOwn(SCHEDULE_KINDS, name)) {
    report.error(
      'bad-schedule',
      typeEntry ? typeEntry.value.span : head.keySpan,
      `Unknown scheduler type: ${name}`,
      didYouMean(name, Object.keys(SCHEDULE_KINDS)) ??
        `Types: ${Object.keys(SCHEDULE_KINDS)
          .map((kind) => `${kind}>`)
          .join(' ')}.`,
    );
    return undefined;
  }
  const kind = name as ScheduleKind;
  const spec = SCHEDULE_KINDS[kind];
  checkOptions(value, kind, report);
  const own = typeEntry ? entryOf(value, '_command') : head;
  const at = own && toValue(own.value) !== null ? own : spec.options.includes('at') ? entryOf(value, 'at') : undefined;
  const given = at && toValue(at.value);
  if (!at || given === null || given === undefined) {
    report.error(
      'bad-schedule',
      head.keySpan,
      `${kind}> needs ${spec.form}`,
      `For example \`${kind}>: ${spec.example}\`.`,
    );
    return undefined;
  }
  const text = typeof given === 'object' ? show(given) : String(given).trim();
  const fault = typeof given === 'object' ? 'it is no text' : spec.fault(text);
  if (fault) {
    report.error(
      'bad-schedule',
      at.value.span,
      `${kind}> scheduler requires ${spec.form}: ${text} (${fault})`,
      `For example \`${kind}>: ${spec.example}\`.`,
    );
    return undefined;
  }
  const { start, end } = readDates(value, report);
  const skipDelayedBy = readSkipDelayedBy(value, report);
  return {
    kind,
    at: text,
    delay: readDelay(value, report),
    skipOnOvertime: readBoolean(value, 'skip_on_overtime', report),
    ...present({ skipDelayedBy, start, end }),
    span: value.span,
  };
}

function missedKind(tree: MapTree): string {
  const near = tree.entries.find(({ key }) => Object.hasOwn(SCHEDULE_KINDS, key.trim()));
  return near ? `Did you mean \`${near.key.trim()}>:\`?` : 'For example `daily>: 07:00:00`.';
}

function checkOptions(tree: MapTree, kind: ScheduleKind, report: Report): void {
  const known = [...SCHEDULE_KINDS[kind].options, ...COMMON];
  for (const { key, keySpan } of tree.entries) {
    if (key.endsWith('>') || key === '_type' || key === '_command' || known.includes(key)) continue;
    const elsewhere =
      key === 'delay'
        ? `${kind}> has its delay in its value; \`delay\` belongs to cron> and the intervals.`
        : undefined;
    report.error(
      'bad-schedule',
      keySpan,
      `Parameter '${key}' is not used at schedule`,
      elsewhere ?? didYouMean(key, known) ?? `Known with ${kind}>: ${known.join(', ')}.`,
    );
  }
}

function readBoolean(tree: MapTree, key: string, report: Report): boolean {
  const value = entryOf(tree, key)?.value;
  const flag = value?.kind === 'scalar' ? asBoolean(value.value) : undefined;
  if (value && flag === undefined)
    report.error('bad-schedule', value.span, `\`${key}\` wants true or false, not ${show(toValue(value))}`);
  return flag ?? false;
}

function readDelay(tree: MapTree, report: Report): number {
  const value = entryOf(tree, 'delay')?.value;
  if (!value) return 0;
  const json = toValue(value);
  const seconds = asSeconds(json);
  if (seconds === undefined) {
    report.error(
      'bad-schedule',
      value.span,
      `\`delay\` wants seconds, not ${show(json)}`,
      'For example `delay: 600` or `delay: 10m`.',
    );
    return 0;
  }
  return seconds;
}

function readSkipDelayedBy(tree: MapTree, report: Report): number | undefined {
  const value = entryOf(tree, 'skip_delayed_by')?.value;
  if (!value) return undefined;
  const seconds = value.kind === 'scalar' ? parseDuration(String(value.value)) : undefined;
  if (seconds === undefined)
    report.error(
      'bad-duration',
      value.span,
      `\`skip_delayed_by\` wants a duration, not ${show(toValue(value))}`,
      'For example `3m` or `1h 2m`.',
    );
  return seconds;
}

function readDates(tree: MapTree, report: Report): { start?: string; end?: string } {
  const dates: { start?: string; end?: string } = {};
  for (const key of ['start', 'end'] as const) {
    const value = entryOf(tree, key)?.value;
    if (!value) continue;
    const text = String(toValue(value));
    if (isDate(text)) dates[key] = text;
    else
      report.error('bad-schedule', value.span, `Invalid ${key}: ${text}`, 'Write a date that exists, as 2030-01-31.');
  }
  if (dates.start !== undefined && dates.end !== undefined && dates.end < dates.start) {
    report.error(
      'bad-schedule',
      entryOf(tree, 'end')?.value.span,
      'The schedule of end is earlier than start',
      `It starts ${dates.start}.`,
    );
  }
  return dates;
}

function isDate(text: string): boolean {
  if (!/^\d{4}-\d\d-\d\d$/.test(text)) return false;
  const date = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text);
}

/** digdag takes any whole numbers: `25:00:00` runs an hour into the next day. */
function clockFault(text: string, parts: number): string | undefined {
  const fragments = text.split(':');
  return fragments.length === parts && fragments.every((part) => /^\d{1,4}$/.test(part))
    ? undefined
    : 'it is not of this form';
}

function weeklyFault(text: string): string | undefined {
  const comma = text.indexOf(',');
  if (comma < 0) return 'the comma is missing';
  return weekdayFault(text.slice(0, comma).trim()) ?? clockFault(text.slice(comma + 1).trim(), 3);
}

function monthlyFault(text: string): string | undefined {
  const comma = text.indexOf(',');
  if (comma < 0) return 'the comma is missing';
  const day = asInteger(text.slice(0, comma));
  if (day === undefined || day < 1 || day > 31) return 'the day is not 1 to 31';
  return clockFault(text.slice(comma + 1).trim(), 3);
}

function countFault(text: string, max?: number): string | undefined {
  const count = asInteger(text);
  if (count === undefined) return 'it is no whole number';
  if (count < 1) return 'it is less than 1';
  return max !== undefined && count > max ? `it is more than ${max}: use hourly> or cron>` : undefined;
}
