/** cron4j's patterns, which digdag's cron> takes: five fields, `L` as day of the month, `|` between alternatives. */
interface Field {
  readonly name: string;
  readonly min: number;
  readonly max: number;
  readonly names?: readonly string[];
}

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
const FIELDS: readonly Field[] = [
  { name: 'minute', min: 0, max: 59 },
  { name: 'hour', min: 0, max: 23 },
  { name: 'day of the month', min: 1, max: 31 },
  { name: 'month', min: 1, max: 12, names: MONTHS },
  { name: 'day of the week', min: 0, max: 7, names: DAYS },
];

/** What is wrong with a cron line, or undefined. */
export function cronFault(line: string): string | undefined {
  for (const pattern of line.split('|')) {
    const parts = pattern.trim().split(/\s+/);
    if (parts.length !== 5 || parts[0] === '') {
      return `it has ${parts[0] === '' ? 0 : parts.length} fields; five are wanted: minute hour day month weekday`;
    }
    for (const [index, field] of FIELDS.entries()) {
      const fault = fieldFault(parts[index] ?? '', field);
      if (fault) return fault;
    }
  }
  return undefined;
}

/** The day of `weekly>: Day,…`: a cron day-of-week field. */
export function weekdayFault(text: string): string | undefined {
  const [, , , , field] = FIELDS;
  return field && fieldFault(text, field);
}

function fieldFault(text: string, field: Field): string | undefined {
  for (const part of text.split(',')) {
    const [range = '', step, more] = part.split('/');
    if (more !== undefined || (step !== undefined && !(Number(step) >= 1 && /^\d+$/.test(step)))) {
      return `'${part}' is no step for the ${field.name}`;
    }
    if (range === '*') continue;
    const ends = range.split('-');
    if (ends.length > 2 || ends.some((end) => numberOf(end, field) === undefined)) {
      return `'${part}' is no ${field.name} (${field.min}-${field.max}${field.names ? ` or ${field.names[0]}…` : ''})`;
    }
  }
  return undefined;
}

function numberOf(text: string, field: Field): number | undefined {
  if (field.name === 'day of the month' && text.toUpperCase() === 'L') return 32;
  const named = field.names?.indexOf(text.toLowerCase()) ?? -1;
  if (named >= 0) return named + (field.min === 1 ? 1 : 0);
  if (!/^\d{1,2}$/.test(text)) return undefined;
  const number = Number(text);
  return number >= field.min && number <= field.max ? number : undefined;
}
