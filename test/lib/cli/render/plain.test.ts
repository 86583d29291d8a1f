import picocolors from 'picocolors';
import { describe, expect, it } from 'vitest';
import { plainLine } from '../../../../lib/cli/render/plain.ts';
import type { RunEvent } from '../../../../lib/events/run-event.ts';
import { ev } from '../events.ts';

const CASES: [string, RunEvent, string | undefined][] = [
  ['the run', ev.begun(), 'main  session 2030-01-01T00:00:00+00:00  attempt 3'],
  ['a resumed run', ev.begun({ resumes: 2 }), 'main  session 2030-01-01T00:00:00+00:00  attempt 3, continues 2'],
  ['a start', ev.start('+main+load', 1), 'start   +main+load  py>'],
  ['a second try', ev.start('+main+load', 1, 'py', 2), 'start   +main+load  py>  try 2'],
  ['the start of an echo', ev.start('+main+hi', 1, 'echo'), undefined],
  ['a success', ev.done('+main+load', 2, 0.2), 'ok      +main+load  0.20 s'],
  ['a result kept', ev.done('+main+load', 2, 0.2, { replayed: true }), 'kept    +main+load'],
  ['a failure', ev.failed('+main+load', 2, 'no lamps\n  File "x"'), 'failed  +main+load  1.50 s: no lamps'],
  ['a retry', ev.retry('+main+load', 2, 'no lamps'), 'retry   +main+load  in 5.00 s: no lamps'],
  ['a failure with an exit code', ev.failed('+t', 1, 'no', { exit: 3 }), 'failed  +t  1.50 s, exit code 3: no'],
  ['a report', ev.report('+main+load', 'asset', { key: 'a' }), 'report  +main+load  asset: {"key":"a"}'],
  [
    'a warning',
    ev.report('+t', 'check', 'late\n  again', { level: 'warning' }),
    'report  +t  check (warning): late again',
  ],
  ['a report that was cut', ev.report('+t', 'text', '"xx', { cut: 70_000 }), 'report  +t  text: "xx …'],
  ['a long report', ev.report('+t', 'text', 'x'.repeat(301)), `report  +t  text: ${'x'.repeat(300)} …`],
  [
    'escapes in a report',
    ev.report('+t', 'text', '\u001b[2Jgone', { level: 'error' }),
    'report  +t  text (error): gone',
  ],
  ['a notice', ev.notice('docker is not used'), 'notice  docker is not used'],
  ['output', ev.output('+main+load', 'x'), undefined],
  ['the end', ev.ended(3, 'succeeded'), undefined],
  ['escapes in a message', ev.failed('+t', 1, '\u001b[2Jgone\u0007'), 'failed  +t  1.50 s: gone'],
];

describe('plainLine', () => {
  it.each(CASES)('shows %s', (_, event, line) => {
    expect(plainLine(event, picocolors.createColors(false))).toBe(line);
  });

  it('colours words, not names', () => {
    const line = plainLine(ev.done('+main+load', 2, 0.2), picocolors.createColors(true));
    expect(line).toContain('\u001b[32mok\u001b[39m      +main+load');
  });
});
