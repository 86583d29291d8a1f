import picocolors from 'picocolors';
import { describe, expect, it } from 'vitest';
import { textWidth } from '../../../../lib/cli/render/text.ts';
import { renderStatus, renderTree, type TreeOptions } from '../../../../lib/cli/render/tree.ts';
import type { RunEvent } from '../../../../lib/events/run-event.ts';
import { apply, newRunView } from '../../../../lib/events/run-view.ts';
import { ev } from '../events.ts';

function viewOf(events: readonly RunEvent[], outline: readonly string[] = []) {
  const view = newRunView(outline);
  for (const event of events) apply(view, event);
  return view;
}

function draw(
  events: readonly RunEvent[],
  { outline = [], ...options }: Partial<TreeOptions> & { outline?: string[] } = {},
): string[] {
  return renderTree(viewOf(events, outline), {
    columns: 80,
    rows: 20,
    now: ev.now(10),
    colors: picocolors.createColors(false),
    unicode: true,
    frame: 0,
    ...options,
  });
}

const CLEANING = [
  ev.begun(),
  ev.start('+main+make', 0),
  ev.done('+main+make', 1, 1),
  ev.start('+main+clean+eu', 2),
  ev.start('+main+clean+us', 3, 'sh'),
];

describe('renderTree', () => {
  it('shows groups, what runs and for how long', () => {
    expect(draw(CLEANING)).toEqual([
      '⠋ +main',
      '├─ ✓ +make  1.00 s',
      '└─ ⠋ +clean',
      '   ├─ ⠋ +eu  8 s  py>',
      '   └─ ⠋ +us  7 s  sh>',
    ]);
  });

  it('shows failures with their message, retries with their try', () => {
    expect(
      draw([
        ev.start('+main+a', 0),
        ev.failed('+main+a', 1, 'no lamps left (StockError)\n\tfrom x'),
        ev.start('+main+b', 0),
        ev.retry('+main+b', 4, 'busy'),
        ev.start('+main+c', 5, 'py', 2),
      ]),
    ).toEqual([
      '⠋ +main',
      '├─ ✗ +a  1.50 s  no lamps left (StockError)',
      '├─ ↻ +b  10 s  busy',
      '└─ ⠋ +c  5 s  py>  try 2',
    ]);
  });

  it('joins ^sub with the name after it', () => {
    expect(draw([ev.start('+main+loop', 0, 'loop'), ev.start('+main+loop^sub+loop-0+x', 0)])).toEqual([
      '⠋ +main',
      '└─ ⠋ +loop  10 s  loop>',
      '   └─ ⠋ +loop-0',
      '      └─ ⠋ +x  10 s  py>',
    ]);
  });

  it('folds finished groups where rows are few', () => {
    const done = ['a', 'b', 'c'].map((name) => ev.done(`+main+g+${name}`, 1, 0.5));
    expect(draw([...done, ev.start('+main+last', 2)], { rows: 4 })).toEqual([
      '⠋ +main',
      '├─ ✓ +g  3 tasks',
      '└─ ⠋ +last  8 s  py>',
    ]);
  });

  it('never takes more rows or columns than there are', () => {
    const many = Array.from({ length: 500 }, (_, i) => ev.start(`+main+loop^sub+for-0=name=${i}=x${i}+work`, i % 9));
    for (const rows of [1, 2, 5, 30]) {
      for (const columns of [5, 12, 40]) {
        const lines = draw(many, { rows, columns });
        expect(lines.length).toBeLessThanOrEqual(rows);
        for (const line of lines) expect(textWidth(line)).toBeLessThan(columns);
      }
    }
  });

  it('counts instead of listing a loop of thousands', () => {
    const events = Array.from({ length: 2000 }, (_, i) => ev.done(`+main+loop^sub+loop-${i}`, 1, 0.1));
    expect(draw([...events, ev.start('+main+loop^sub+loop-2000', 2)])).toEqual([
      '⠋ +main',
      '└─ ⠋ +loop  2000 of 2001 done',
      '   └─ ⠋ +loop-2000  8 s  py>',
    ]);
  });

  const ITEM = '+main+each^sub+for-0=region=1=south';

  it('shows the item of an iteration, and what is to come', () => {
    const outline = ['+main+load', '+main+each', '+main+g+x', '+main+g+y', '+main+report'];
    expect(draw([ev.done('+main+load', 1, 1), ev.start(`${ITEM}+sum`, 2)], { outline })).toEqual([
      '⠋ +main',
      '├─ ✓ +load  1.00 s',
      '├─ ⠋ +each',
      '│  └─ ⠋ south',
      '│     └─ ⠋ +sum  8 s  py>',
      '├─ · +g',
      '│  ├─ · +x',
      '│  └─ · +y',
      '└─ · +report',
    ]);
  });

  it('says in the end what was skipped, in order and without detail', () => {
    const outline = ['+main+first', '+main+load', '+main+g+x', '+main+g+y', '+main+report'];
    const events = [ev.done('+main+first', 1, 1), ev.failed('+main+load', 1, 'no'), ev.ended(2, 'failed')];
    expect(draw(events, { outline })).toEqual([
      '✗ +main',
      '├─ ✓ +first  1.00 s',
      '├─ ✗ +load  1.50 s  no',
      '├─ - +g  skipped  2 tasks',
      '└─ - +report  skipped',
    ]);
  });

  it('leaves out what is to come where rows are few', () => {
    const outline = Array.from({ length: 300 }, (_, i) => `+main+g${i % 3}+t${i}`);
    expect(draw([ev.start('+main+g0+t0', 0)], { outline, rows: 5 })).toEqual([
      '⠋ +main',
      '└─ ⠋ +g0',
      '   └─ ⠋ +t0  10 s  py>',
    ]);
    expect(draw([], { outline, rows: 8 })).toEqual(['· +main  300 tasks']);
  });

  it.each([
    [120, '⠋ +a_long_name_that_says_what_the_task_does_and_why  10 s  py>'],
    [40, '⠋ +a_long_name_th…sk_does_and_why  10 s'],
    [20, '⠋ +a_lo…d_why  10 s'],
  ])('cuts a long name in its middle, so that the time stays: %i columns', (columns, line) => {
    const [drawn = ''] = draw([ev.start('+a_long_name_that_says_what_the_task_does_and_why', 0)], { columns });
    expect(drawn).toBe(line);
  });

  it('uses plain characters where the terminal has no others', () => {
    expect(draw(CLEANING, { unicode: false })).toContain('   `- | +us  7 s  sh>');
  });

  it('sums up in one line', () => {
    const options = {
      columns: 80,
      rows: 9,
      now: ev.now(62),
      colors: picocolors.createColors(false),
      unicode: true,
      frame: 0,
    };
    expect(renderStatus(viewOf([...CLEANING, ev.failed('+main+clean+us', 4, 'x')]), options)).toBe(
      '1 done · 1 failed · 1 running · 1:02',
    );
  });
});
