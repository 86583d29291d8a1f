/** The readers of a run's events: a live tree, plain lines, or JSON. Each gets every event, and once the end of the run. */
import type { RunEvent } from '../../events/run-event.ts';
import { apply, newRunView, type RunView } from '../../events/run-view.ts';
import { lastName, shownTask } from '../../events/task-names.ts';
import { clean } from '../../events/text.ts';
import type { Colors, Terminal } from '../terminal.ts';
import { openLiveArea } from './live-area.ts';
import { plainLine, runHeader } from './plain.ts';
import { renderSummary, type SummaryOptions } from './summary.ts';
import { truncateMiddle } from './text.ts';
import { renderStatus, renderTree, type TreeOptions } from './tree.ts';

export interface RunReader {
  handle(event: RunEvent): Promise<void>;
  /** After the last event: draws what is to remain, and the summary. */
  finish(): Promise<void>;
  /** Gives the terminal back as it was, at once; for exits that cannot wait. */
  abandon(): void;
  readonly view: RunView;
}

export type RunFormat = 'live' | 'plain' | 'json';

export function chooseFormat(terminal: Terminal, json: boolean): RunFormat {
  if (json) return 'json';
  return terminal.live ? 'live' : 'plain';
}

export interface RunShowing extends Omit<SummaryOptions, 'colors' | 'nameOf'> {
  /** Full names of the tasks that are to come (outline.ts). */
  readonly outline?: readonly string[];
  /** Ends the first line. */
  readonly sessionNote?: string;
}

export function readRun(format: RunFormat, terminal: Terminal, showing: RunShowing): RunReader {
  if (format === 'json') return jsonReader(terminal);
  return format === 'live' ? liveReader(terminal, showing) : plainReader(terminal, showing);
}

function withLineEnd(text: string): string {
  return text === '' || text.endsWith('\n') ? text : `${text}\n`;
}

/** RunEvents, one a line, and nothing else. */
function jsonReader(terminal: Terminal): RunReader {
  const view = newRunView();
  return {
    view,
    async handle(event) {
      apply(view, event);
      await terminal.stdout.write(`${JSON.stringify(event)}\n`);
    },
    async finish() {},
    abandon() {},
  };
}

function plainReader(terminal: Terminal, showing: RunShowing): RunReader {
  const view = newRunView(showing.outline);
  const { stdout, stderr } = terminal;
  // A file is searched for names, a window is looked at.
  const nameOf = stderr.isTerminal ? shownTask : (task: string) => task;
  return {
    view,
    async handle(event) {
      apply(view, event);
      if (event.type === 'task-output') return stdout.write(withLineEnd(event.text));
      const line = plainLine(event, stderr.colors, { nameOf, sessionNote: showing.sessionNote });
      if (line !== undefined) await stderr.write(`${line}\n`);
    },
    async finish() {
      await stderr.write(renderSummary(view, { ...showing, colors: stderr.colors, nameOf }));
    },
    abandon() {},
  };
}

/** Tasks that keep their colour; of a hundred thousand nobody compares. */
const MOST_NAMES = 500;

/** Tasks that print at the same time get colours in turn: those that mean neither success nor failure. */
function taskColors({ cyan, magenta, blue, yellow }: Colors): (task: string) => (text: string) => string {
  const colors = [cyan, magenta, blue, yellow];
  const numbers = new Map<string, number>();
  return (task) => {
    const number = numbers.get(task) ?? numbers.size;
    if (numbers.size < MOST_NAMES) numbers.set(task, number);
    return colors[number % colors.length] ?? cyan;
  };
}

/** A frame every so many milliseconds, and sooner after an event. */
const FRAME_MS = 120;
const SOON_MS = 30;
/** Columns of a task's name before its output. */
const PREFIX = 24;
/** Lines of the tree that remains when the run is over. */
const FINAL_ROWS = 40;

function liveReader(terminal: Terminal, showing: RunShowing): RunReader {
  const view = newRunView(showing.outline);
  const { stdout, stderr } = terminal;
  const colorOf = taskColors(stdout.colors);
  const area = openLiveArea(stderr);
  let frame = 0;
  let timer: NodeJS.Timeout | undefined;
  let due = Number.POSITIVE_INFINITY;

  const options = (rows: number): TreeOptions => ({
    columns: stderr.columns,
    rows,
    now: Date.now(),
    colors: stderr.colors,
    unicode: terminal.unicode,
    frame,
  });
  const draw = () => {
    due = Number.POSITIVE_INFINITY;
    // One row is left free for what the user types, one is the status.
    const now = options(Math.max(2, stderr.rows - 3));
    area.draw([...renderTree(view, now), renderStatus(view, now)]);
    frame++;
    drawIn(FRAME_MS);
  };
  // A flood of events must not put the next frame off for ever: the earlier of two times counts.
  const drawIn = (ms: number) => {
    const at = Date.now() + ms;
    if (at >= due) return;
    clearTimeout(timer);
    due = at;
    timer = setTimeout(draw, ms);
  };
  const drawSoon = () => drawIn(SOON_MS);
  const stopResize = terminal.onResize(drawSoon);
  const above = async (write: () => Promise<void>) => {
    area.erase();
    await write();
    drawSoon();
  };
  const close = () => {
    clearTimeout(timer);
    stopResize();
    area.close();
  };

  return {
    view,
    async handle(event) {
      apply(view, event);
      switch (event.type) {
        case 'run-started':
          return stderr.write(`${runHeader(event, stderr.colors, showing.sessionNote)}\n`);
        case 'task-output': {
          const text = withLineEnd(event.text);
          if (!stdout.isTerminal) return stdout.write(text);
          // Several at once: say whose line it is.
          const whose =
            view.root.running > 1
              ? colorOf(event.task)(
                  `${truncateMiddle(lastName(event.task), PREFIX)} ${terminal.unicode ? '│' : '|'}`,
                ).concat(' ')
              : '';
          return above(() => stdout.write(whose === '' ? text : text.replace(/^(?=.)/gm, whose)));
        }
        case 'notice':
          return above(() => stderr.write(`${stderr.colors.yellow('notice')}  ${clean(event.message)}\n`));
        case 'task-report':
          return above(() => stderr.write(`${plainLine(event, stderr.colors, { nameOf: shownTask })}\n`));
        default:
          drawSoon();
      }
    },
    async finish() {
      close();
      const lines = renderTree(view, options(FINAL_ROWS));
      await stderr.write(lines.map((line) => `${line}\n`).join(''));
      await stderr.write(renderSummary(view, { ...showing, colors: stderr.colors, nameOf: shownTask }));
    },
    abandon: close,
  };
}
