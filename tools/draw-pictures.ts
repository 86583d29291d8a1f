/**
 * The pictures of the documentation, as SVG on standard output, from what the program itself reads and prints:
 *
 *     node --import tsx tools/draw-pictures.ts graph examples/quickstart main > docs/pictures/quickstart.svg
 *     trowel run examples/quickstart/main.dig --json > run.jsonl
 *     node --import tsx tools/draw-pictures.ts timeline run.jsonl > docs/pictures/run.svg
 */
import { readFileSync } from 'node:fs';
import type { RunEvent } from '../lib/events/run-event.ts';
import { shownTask } from '../lib/events/task-names.ts';
import { loadProject } from '../lib/language/project.ts';
import type { Node } from '../lib/language/workflow.ts';

/** A drawn part: its size, and its SVG with the left upper corner at x, y. */
interface Box {
  readonly width: number;
  readonly height: number;
  readonly draw: (x: number, y: number) => string;
}

/** Colours by the reader's theme: light, dark. */
const COLORS = {
  ink: ['#24292f', '#e6edf3'],
  faint: ['#6e7781', '#8d96a0'],
  line: ['#8c959f', '#6e7681'],
  grid: ['#d0d7de', '#30363d'],
  task: ['#ddf4ff', '#0c2d6b'],
  frame: ['#f6f8fa', '#161b22'],
  failed: ['#ffb3ad', '#8e1519'],
  done: ['#7cc4f5', '#1158c7'],
  paper: ['#ffffff', '#0d1117'],
} as const;
const INK = 'var(--ink)';
const FAINT = 'var(--faint)';
const LINE = 'var(--line)';
const GRID = 'var(--grid)';
const TASK = 'var(--task)';
const FRAME = 'var(--frame)';
const FAILED = 'var(--failed)';
const DONE = 'var(--done)';
const STYLE = [0, 1]
  .map((theme) =>
    Object.entries(COLORS)
      .map(([name, colors]) => `--${name}:${colors[theme]}`)
      .join(';'),
  )
  .map((all, theme) => (theme === 0 ? `svg{${all}}` : `@media (prefers-color-scheme:dark){svg{${all}}}`))
  .join('');
const FONT = 'font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, monospace"';
const CHAR = 7.3;
const GAP = 22;
const PAD = 14;

const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

function words(x: number, y: number, text: string, more = ''): string {
  return `<text x="${x}" y="${y}" font-size="12" fill="${INK}" ${more}>${escaped(text)}</text>`;
}

function rectangle(x: number, y: number, width: number, height: number, fill: string, more = ''): string {
  return `<rect x="${x}" y="${y}" width="${width}" height="${height}" rx="6" fill="${fill}" stroke="${LINE}" ${more}/>`;
}

function arrow(x1: number, y1: number, x2: number, y2: number, more = ''): string {
  return `<line x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}" stroke="${INK}" marker-end="url(#tip)" ${more}/>`;
}

function svg(width: number, height: number, title: string, body: string): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" ${FONT} role="img">
<title>${escaped(title)}</title>
<style>${STYLE}</style>
<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto"><path d="M0,0 L8,4 L0,8 z" fill="${INK}"/></marker></defs>
<rect width="${width}" height="${height}" rx="8" fill="var(--paper)"/>
${body}
</svg>
`;
}

function label(name: string, what: string, notes: readonly string[]): Box {
  const lines = [name, what, ...notes];
  const width = Math.max(...lines.map((line) => line.length)) * CHAR + 2 * PAD;
  const height = 16 * lines.length + 14;
  return {
    width,
    height,
    draw: (x, y) =>
      rectangle(x, y, width, height, TASK) +
      lines
        .map((line, i) => words(x + PAD, y + 20 + 16 * i, line, i === 0 ? 'font-weight="bold"' : `fill-opacity="0.75"`))
        .join(''),
  };
}

/** Side by side or one below the other, with arrows between those that follow each other. */
function arranged(boxes: readonly Box[], parallel: boolean): Box {
  const across = Math.max(...boxes.map(({ width }) => width));
  const down = Math.max(...boxes.map(({ height }) => height));
  if (parallel) {
    return {
      width: boxes.reduce((sum, { width }) => sum + width, GAP * (boxes.length - 1)),
      height: down,
      draw: (x, y) => {
        let left = x;
        return boxes
          .map((box) => {
            const drawn = box.draw(left, y);
            left += box.width + GAP;
            return drawn;
          })
          .join('');
      },
    };
  }
  return {
    width: across,
    height: boxes.reduce((sum, { height }) => sum + height, GAP * (boxes.length - 1)),
    draw: (x, y) => {
      let top = y;
      return boxes
        .map((box, i) => {
          const middle = x + across / 2;
          const tip = i === 0 ? '' : arrow(middle, top - GAP + 1, middle, top - 1);
          const drawn = box.draw(x + (across - box.width) / 2, top);
          top += box.height + GAP;
          return tip + drawn;
        })
        .join('');
    },
  };
}

/** A frame with a headline; a repeated one is drawn as a pile. */
function framed(inner: Box, headline: string, repeated: boolean): Box {
  const pile = repeated ? 8 : 0;
  const width = Math.max(inner.width, headline.length * CHAR) + 2 * PAD;
  const height = inner.height + 2 * PAD + 20;
  return {
    width: width + pile,
    height: height + pile,
    draw: (x, y) =>
      (repeated
        ? rectangle(x + pile, y + pile, width, height, FRAME) +
          rectangle(x + pile / 2, y + pile / 2, width, height, FRAME)
        : '') +
      rectangle(x, y, width, height, FRAME) +
      words(x + PAD, y + 20, headline, `fill-opacity="0.75"`) +
      inner.draw(x + (width - inner.width) / 2, y + PAD + 18),
  };
}

function boxOf(node: Node): Box {
  const { retry } = node.directives;
  const notes = retry?.kind === 'literal' ? [`_retry: ${retry.limit}`] : [];
  if (node.kind === 'task') {
    if (node.body === undefined) {
      const what = typeof node.command === 'string' ? node.command : JSON.stringify(node.command);
      return label(node.name, `${node.operator}>: ${what}`, notes);
    }
    const together = node.parallel.kind === 'parallel' ? ', all at once' : '';
    const keys = Object.keys((node.command ?? {}) as object).join(', ');
    return framed(boxOf(node.body), `${node.name} (${node.operator}> ${keys}${together})`, true);
  }
  const inner = arranged(node.children.map(boxOf), node.parallel.kind === 'parallel');
  if (node.name === '' || node.name === '_do') return inner;
  return node.parallel.kind === 'parallel' ? framed(inner, `${node.name} (at the same time)`, false) : inner;
}

async function graph(folder: string, name: string): Promise<string> {
  const project = await loadProject(folder);
  const workflow = project.workflow(name);
  if (workflow === undefined) throw new Error(`no workflow ${name} in ${folder}`);
  const { root } = workflow;
  const flow = arranged(root.children.map(boxOf), false);
  const handler = root.directives.error;
  const aside = handler === undefined ? undefined : framed(boxOf(handler), '_error (if anything fails)', false);
  const margin = 20;
  const width = margin * 2 + flow.width + (aside === undefined ? 0 : aside.width + 70);
  const height = margin * 2 + flow.height;
  const right = margin + flow.width;
  const middle = height / 2;
  const body =
    flow.draw(margin, margin) +
    (aside === undefined
      ? ''
      : `<line x1="${right + 10}" y1="${margin}" x2="${right + 10}" y2="${height - margin}" stroke="${LINE}" stroke-dasharray="5 4"/>` +
        arrow(right + 10, middle, right + 64, middle, 'stroke-dasharray="5 4"') +
        aside.draw(right + 70, middle - aside.height / 2));
  return svg(Math.ceil(width), Math.ceil(height), `The tasks of ${name}.dig`, body);
}

/** Without the workflow, with the item of an iteration, as a terminal shows it. */
function shortName(task: string): string {
  return shownTask(task).replace(/^\+[^+[]*(?=\+)/, '');
}

interface Bar {
  readonly task: string;
  readonly from: number;
  readonly to: number;
  readonly failed: boolean;
}

function timeline(file: string): string {
  const events = readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as RunEvent);
  const first = events[0];
  if (first?.type !== 'run-started') throw new Error(`${file} does not begin with run-started`);
  const at = (time: string): number => (Date.parse(time) - Date.parse(first.time)) / 1000;
  const begun = new Map<string, number>();
  const bars: Bar[] = [];
  for (const event of events) {
    if (event.type === 'task-started') begun.set(event.task, at(event.time));
    if (event.type === 'task-succeeded' || event.type === 'task-failed' || event.type === 'task-retrying') {
      const to = at(event.time);
      bars.push({ task: event.task, from: begun.get(event.task) ?? to, to, failed: event.type !== 'task-succeeded' });
    }
  }
  const tasks = [...new Set([...bars].sort((a, b) => a.from - b.from).map(({ task }) => task))];
  const last = events.at(-1);
  const total = last === undefined ? 0 : at(last.time);
  const left = Math.max(...tasks.map((task) => shortName(task).length)) * CHAR + 36;
  const scale = 420 / total;
  const step = total > 4 ? 1 : total > 1 ? 0.2 : 0.05;
  const bottom = 44 + tasks.length * 22;
  let body = words(20, 26, `${first.workflow}, session ${first.session_time.slice(0, 10)}`, 'font-weight="bold"');
  for (let second = 0; second <= total + 0.001; second += step) {
    const x = left + second * scale;
    body += `<line x1="${x}" y1="38" x2="${x}" y2="${bottom}" stroke="${GRID}"/>`;
    body += `<text x="${x}" y="${bottom + 16}" font-size="11" fill="${FAINT}" text-anchor="middle">${second.toFixed(2)} s</text>`;
  }
  tasks.forEach((task, row) => {
    const y = 44 + row * 22;
    body += words(20, y + 13, shortName(task));
    for (const bar of bars.filter((one) => one.task === task)) {
      const width = Math.max(3, (bar.to - bar.from) * scale);
      body += `<rect x="${left + bar.from * scale}" y="${y + 2}" width="${width}" height="14" rx="2" fill="${bar.failed ? FAILED : DONE}" stroke="${LINE}"/>`;
      if (bar.failed)
        body += words(left + bar.from * scale + width + 6, y + 13, 'failed, tried again', `fill-opacity="0.75"`);
    }
  });
  return svg(Math.ceil(left + 420 + 40), bottom + 30, `A run of ${first.workflow}.dig`, body);
}

const [kind, from = '', name = ''] = process.argv.slice(2);
process.stdout.write(kind === 'timeline' ? timeline(from) : await graph(from, name));
