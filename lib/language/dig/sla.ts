/** `sla:` at the top of a file: a time or a duration, what to do then, and the tasks to run. */

import { present } from '../../asl/present.ts';
import type { Report } from '../report.ts';
import type { Sla } from '../workflow.ts';
import { asBoolean } from '../yaml/scalar.ts';
import { type Entry, entryOf, type MapTree, show, toValue } from '../yaml/tree.ts';
import { readNode } from './node.ts';

const OWN_KEYS = ['time', 'duration', 'alert', 'fail'];

export function readSla(entry: Entry, report: Report): Sla | undefined {
  const { value, keySpan } = entry;
  if (value.kind !== 'map') {
    report.error(
      'bad-sla',
      keySpan,
      '`sla` wants a mapping',
      'For example `sla: {time: 02:00}` or `sla: {duration: 01:30:00}`.',
    );
    return undefined;
  }
  const time = readClock(value, 'time', report);
  const duration = readClock(value, 'duration', report);
  if (!entryOf(value, 'time') === !entryOf(value, 'duration')) {
    report.error(
      'bad-sla',
      keySpan,
      "SLA must be specified using either the 'time' or 'duration' option",
      'Write one of them.',
    );
  }
  const flag = (key: string, byDefault: boolean): boolean => {
    const at = entryOf(value, key)?.value;
    const given = at?.kind === 'scalar' ? asBoolean(at.value) : undefined;
    if (at && given === undefined)
      report.error('bad-sla', at.span, `\`${key}\` of \`sla\` wants true or false, not ${show(toValue(at))}`);
    return given ?? byDefault;
  };
  const rest: MapTree = { ...value, entries: value.entries.filter(({ key }) => !OWN_KEYS.includes(key)) };
  const body = rest.entries.length > 0 ? readNode('^sla', rest, report) : undefined;
  return {
    ...present({ time, duration }),
    alert: flag('alert', true),
    fail: flag('fail', false),
    ...present({ body }),
    span: value.span,
  };
}

function readClock(tree: MapTree, key: string, report: Report): string | undefined {
  const value = entryOf(tree, key)?.value;
  if (!value) return undefined;
  const text = String(toValue(value));
  if (/^\d{1,4}:\d{1,2}(?::\d{1,2})?$/.test(text)) return text;
  report.error('bad-sla', value.span, `SLA ${key} option needs to be HH:MM or HH:MM:SS format: ${text}`);
  return undefined;
}
