import { describe, expect, it, vi } from 'vitest';
import { type RunFormat, readRun } from '../../../../lib/cli/render/run.ts';
import type { RunEvent } from '../../../../lib/events/run-event.ts';
import { ev } from '../events.ts';
import { fakeTerminal } from '../fake-terminal.ts';
import { screen } from '../screen.ts';

const SUMMARY = { resume: 'trowel run main.dig --resume', showPath: (path: string) => path.replace('/project/', '') };

const NORTH = '+main+each^sub+for-0=region=0=north';
const SOUTH = '+main+each^sub+for-0=region=1=south';

const FAILING: RunEvent[] = [
  ev.begun(),
  ev.start('+main+make', 0),
  ev.output('+main+make', 'made 3'),
  ev.done('+main+make', 1, 1),
  ev.start('+main+load', 1),
  ev.failed('+main+load', 2, 'no lamps left (StockError)', {
    stacktrace:
      'Traceback (most recent call last):\n  File "tasks/data.py", line 12, in load\nStockError: no lamps left',
    log: '/project/.trowel/attempts/3/logs/+main+load.log',
  }),
  ev.ended(2, 'failed'),
];

async function show(
  format: RunFormat,
  events: readonly RunEvent[],
  more: { color?: boolean; outline?: string[] } = {},
) {
  const { color = false, ...showing } = more;
  const terminal = fakeTerminal({ live: format === 'live', color });
  const reader = readRun(format, terminal, { ...SUMMARY, ...showing });
  for (const event of events) await reader.handle(event);
  await reader.finish();
  return terminal;
}

describe('plain', () => {
  it('keeps output apart from progress, and explains a failure', async () => {
    const { stdout, stderr } = await show('plain', FAILING);
    expect(stdout.text).toBe('made 3\n');
    expect(stderr.text).toBe(
      [
        'main  session 2030-01-01T00:00:00+00:00  attempt 3',
        'start   +main+make  py>',
        'ok      +main+make  1.00 s',
        'start   +main+load  py>',
        'failed  +main+load  1.50 s: no lamps left (StockError)',
        '',
        '+main+load failed after 1.50 s',
        '  no lamps left (StockError)',
        '  Traceback (most recent call last):',
        '    File "tasks/data.py", line 12, in load',
        '  StockError: no lamps left',
        '  log: .trowel/attempts/3/logs/+main+load.log',
        '',
        'Failed after 2.00 s: 1 task done, 1 failed.',
        '  logs and values: .trowel/attempts/3',
        '  continue where it stopped: trowel run main.dig --resume',
        '',
      ].join('\n'),
    );
  });

  it('says where things are after a success', async () => {
    const { stderr } = await show('plain', [ev.begun(), ev.done('+main+a', 1, 1), ev.ended(1, 'succeeded')]);
    expect(stderr.text).toContain('Success in 1.00 s: 1 task done.\n  logs and values: .trowel/attempts/3\n');
    expect(stderr.text).not.toContain('--resume');
  });

  it('forgets a failure that a later try undid', async () => {
    const { stderr } = await show('plain', [
      ev.begun(),
      ev.failed('+main+g+a', 1, 'first'),
      ev.start('+main+g+a', 2),
      ev.done('+main+g+a', 3, 1),
      ev.failed('+main+b', 4, 'second'),
      ev.ended(4, 'failed'),
    ]);
    expect(stderr.text).toContain('+main+b failed after');
    expect(stderr.text).not.toContain('+main+g+a failed after');
  });

  it('shows the message of a run without a failed task', async () => {
    const { stderr } = await show('plain', [ev.begun(), ev.ended(1, 'failed', 'the definition is too large')]);
    expect(stderr.text).toContain('the definition is too large');
  });
});

describe('json', () => {
  it('prints each event as a line and nothing else', async () => {
    const { stdout, stderr } = await show('json', FAILING);
    expect(
      stdout.text
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual(FAILING);
    expect(stderr.text).toBe('');
  });
});

describe('a report', () => {
  const REPORTED = [
    ev.begun(),
    ev.start('+main+load', 0),
    ev.report('+main+load', 'asset', { key: 'a' }, { level: 'warning' }),
    ev.failed('+main+load', 2, 'no', { exit: 3 }),
    ev.ended(2, 'failed'),
  ];

  it('is a line of standard error, and a failure has its exit code', async () => {
    const { stdout, stderr } = await show('plain', REPORTED);
    expect(stdout.text).toBe('');
    expect(stderr.text).toContain('report  +main+load  asset (warning): {"key":"a"}\n');
    expect(stderr.text).toContain('+main+load failed after 1.50 s, exit code 3\n');
  });

  it('is a line above the tree that is drawn', async () => {
    const { stderr } = await show('live', REPORTED);
    expect(stderr.text).toContain('report  +main+load  asset (warning): {"key":"a"}\n');
    expect(screen(stderr.text)).toContain('report  +main+load  asset (warning): {"key":"a"}');
  });

  it('is an event of --json', async () => {
    const { stdout } = await show('json', REPORTED);
    expect(stdout.text.split('\n')[2]).toBe(JSON.stringify(REPORTED[2]));
  });
});

describe('live', () => {
  it('leaves the tree, the output and the summary', async () => {
    const terminal = await show('live', FAILING);
    expect(terminal.stdout.text).toBe('made 3\n');
    const shown = screen(terminal.stderr.text);
    expect(shown.slice(0, 4)).toEqual([
      'main  session 2030-01-01T00:00:00+00:00  attempt 3',
      '✗ +main',
      '├─ ✓ +make  1.00 s',
      '└─ ✗ +load  1.50 s  no lamps left (StockError)',
    ]);
    expect(shown.at(-1)).toBe('  continue where it stopped: trowel run main.dig --resume');
  });

  it('redraws in place, also after the window became narrower, and gives the cursor back', async () => {
    vi.useFakeTimers();
    try {
      const terminal = fakeTerminal({ live: true });
      const reader = readRun('live', terminal, SUMMARY);
      await reader.handle(ev.begun());
      const name = `+main+${'long'.repeat(12)}`;
      await reader.handle(ev.start(name, 0));
      vi.advanceTimersByTime(1000);
      expect(screen(terminal.stderr.text).filter((line) => line.includes('long'))).toHaveLength(1);
      // The terminal itself wraps the frame that was drawn for 80 columns; nothing of it must stay.
      terminal.stderr.text = terminal.stderr.text.slice(terminal.stderr.text.lastIndexOf('\u001b[0J') + 4);
      terminal.resize(30, 24);
      vi.advanceTimersByTime(1000);
      expect(screen(terminal.stderr.text, 30).filter((line) => line.includes('long'))).toHaveLength(1);
      reader.abandon();
      reader.abandon();
      const { text } = terminal.stderr;
      expect(text.lastIndexOf('\u001b[?25h')).toBeGreaterThan(text.lastIndexOf('\u001b[?25l'));
      const before = text.length;
      vi.advanceTimersByTime(1000);
      expect(terminal.stderr.text.length).toBe(before);
    } finally {
      vi.useRealTimers();
    }
  });

  it('names the task of a line while several run', async () => {
    const terminal = await show('live', [
      ev.begun(),
      ev.start('+main+a', 0),
      ev.start('+main+b', 0),
      ev.output('+main+a', 'one\n\ntwo\n'),
      ev.done('+main+b', 1, 1),
      ev.output('+main+a', 'alone\n'),
      ev.ended(1, 'succeeded'),
    ]);
    expect(terminal.stdout.text).toBe('+a │ one\n\n+a │ two\nalone\n');
  });

  it('gives each task that prints a colour of its own, where there are colours', async () => {
    const events = [
      ev.begun(),
      ev.start(`${NORTH}+sum`, 0),
      ev.start(`${SOUTH}+sum`, 0),
      ev.output(`${NORTH}+sum`, 'one\n'),
      ev.output(`${SOUTH}+sum`, 'two\n'),
      ev.output(`${NORTH}+sum`, 'three\n'),
      ev.ended(1, 'succeeded'),
    ];
    const { stdout } = await show('live', events, { color: true });
    const escapes = stdout.text.split('\n').map((line) => line.slice(0, line.indexOf('+sum')));
    expect(escapes[0]).toContain('\u001b[');
    expect(escapes[2]).toBe(escapes[0]);
    expect(escapes[1]).not.toBe(escapes[0]);
    expect((await show('live', events)).stdout.text).toBe('+sum │ one\n+sum │ two\n+sum │ three\n');
  });

  it('cuts the name before the output of a task in its middle', async () => {
    const name = '+a_name_that_takes_more_than_its_share';
    const events = [
      ev.begun(),
      ev.start(`+main${name}`, 0),
      ev.start('+main+b', 0),
      ev.output(`+main${name}`, 'one\n'),
    ];
    expect((await show('live', events)).stdout.text).toBe('+a_name_that…n_its_share │ one\n');
  });

  it('names the item of a failed iteration, and what was skipped', async () => {
    const events = [
      ev.begun(),
      ev.start(`${SOUTH}+sum`, 0),
      ev.failed(`${SOUTH}+sum`, 1, 'no south'),
      ev.ended(1, 'failed'),
    ];
    const outline = ['+main+each', '+main+report', '+main+mail'];
    const { stderr } = await show('live', events, { outline });
    const shown = screen(stderr.text);
    expect(shown).toContain('├─ - +report  skipped');
    expect(shown.join('\n')).toContain('+main+each[south]+sum failed after 1.50 s');
    expect(shown).toContain('Failed after 1.00 s: 0 tasks done, 1 failed, 2 skipped.');
    // What is searched has names in full.
    const plain = await show('plain', events, { outline });
    expect(plain.stderr.text).toContain(`${SOUTH}+sum failed after`);
  });
});
