/** The tree of a run as lines of a terminal: what runs and what failed always, what is done and what is to come as far as there is room. */
import type { RunView, TaskRow, TreeNode } from '../../events/run-view.ts';
import { shownPart } from '../../events/task-names.ts';
import { duration, elapsed, headline, plural } from '../../events/text.ts';
import type { Colors } from '../terminal.ts';
import { textWidth, truncate, truncateMiddle } from './text.ts';

export interface TreeOptions {
  readonly columns: number;
  /** Lines at most. */
  readonly rows: number;
  readonly now: number;
  readonly colors: Colors;
  readonly unicode: boolean;
  /** Counts up; turns the wheel of what is running. */
  readonly frame: number;
}

const WHEEL = [...'⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏'];
const ASCII_WHEEL = [...'|/-\\'];

interface Line {
  readonly rails: string;
  readonly node: TreeNode;
  /** A group whose tasks are all done, or all to come, drawn as one line. */
  readonly folded: boolean;
}

/** Lines without line ends, each at most `columns` wide, at most `rows` of them. */
export function renderTree(view: RunView, options: TreeOptions): string[] {
  const all: Line[] = [];
  // Tasks that are done or to come are shown singly, or a group in one line, or not at all: the first that fits.
  for (const detail of ['all', 'folded', 'lively'] as const) {
    all.length = 0;
    walk(view, view.root, '', detail, options, all);
    if (all.length <= options.rows) break;
  }
  const shown = all.length <= options.rows ? all : all.slice(0, Math.max(0, options.rows - 1));
  const lines = shown.map((line) => renderLine(view, line, options));
  if (shown.length < all.length) {
    const more = `… and ${plural(all.length - shown.length, 'line')} more`;
    lines.push(options.colors.dim(truncate(options.unicode ? more : more.replace('…', '...'), options.columns - 1)));
  }
  return lines;
}

type Detail = 'all' | 'folded' | 'lively';

/** How many children of one group are looked at for a frame; of a loop of thousands only the lively ones are. */
const MANY = 100;

function walk(view: RunView, node: TreeNode, rails: string, detail: Detail, options: TreeOptions, into: Line[]): void {
  const children = detail === 'lively' || node.children.size > MANY ? [...node.lively] : [...node.children.values()];
  children.forEach((child, i) => {
    if (into.length > options.rows) return;
    const last = i === children.length - 1;
    const top = node.parent === undefined;
    const [branch, under] = top ? ['', ''] : rail(last, options.unicode);
    const idle = child.running + child.failed === 0 && (child.pending === 0 || child.done === 0);
    const wanted = detail === 'all' && child.children.size <= MANY && !(view.ended !== undefined && isUntouched(child));
    const folded = idle && child.children.size > 0 && !wanted;
    into.push({ rails: rails + branch, node: child, folded });
    if (!folded) walk(view, child, rails + under, detail, options, into);
  });
}

/** Nothing of it has begun. */
function isUntouched({ pending, running, failed, done }: TreeNode): boolean {
  return pending > 0 && running + failed + done === 0;
}

function rail(last: boolean, unicode: boolean): [string, string] {
  if (unicode) return last ? ['└─ ', '   '] : ['├─ ', '│  '];
  return last ? ['`- ', '   '] : ['|- ', '|  '];
}

function renderLine(view: RunView, { rails, node, folded }: Line, options: TreeOptions): string {
  const { colors, columns } = options;
  const mark = markOf(view, node, options);
  const [first, ...facts] = factsOf(view, node, folded, options);
  const width = columns - 1;
  const room = width - textWidth(rails) - 2;
  if (room < 4) return colors.dim(truncate(rails, Math.max(0, width)));
  // The first fact, mostly the time, stays; the name gives way to it down to some characters.
  const reserved = first === undefined ? 0 : 2 + textWidth(first[0]);
  const label = truncateMiddle(shownPart(node.label), Math.max(room - reserved, Math.min(room, LEAST_NAME)));
  let left = room - textWidth(label);
  let text = `${rails === '' ? '' : colors.dim(rails)}${mark} ${nameColor(node, options)(label)}`;
  for (const [fact, paint] of first === undefined ? [] : [first, ...facts]) {
    if (left < 5) break;
    const piece = truncate(fact, left - 2);
    text += `  ${paint(piece)}`;
    left -= 2 + textWidth(piece);
  }
  return text;
}

/** Columns that a name keeps in a narrow window. */
const LEAST_NAME = 8;

function nameColor(node: TreeNode, { colors }: TreeOptions): (text: string) => string {
  if (isUntouched(node)) return colors.dim;
  return node.running > 0 && node.failed === 0 ? colors.bold : (text) => text;
}

type Fact = readonly [text: string, paint: (text: string) => string];

function factsOf(view: RunView, node: TreeNode, folded: boolean, { colors, now }: TreeOptions): Fact[] {
  const { row } = node;
  const facts: Fact[] = [];
  if (folded) {
    const tasks = node.pending + node.done - (row === undefined ? 0 : 1);
    facts.push([plural(tasks, 'task'), colors.dim]);
  } else if (row === undefined && node.children.size > MANY) {
    facts.push([`${node.done} of ${node.done + node.running + node.failed + node.pending} done`, colors.dim]);
  }
  if (view.ended !== undefined && isUntouched(node)) facts.unshift(['skipped', colors.dim]);
  if (row === undefined) return facts;
  facts.push([timeOf(row, now), colors.dim]);
  if (row.replayed) facts.push(['kept', colors.dim]);
  if (row.state === 'running' && row.operator !== '') facts.push([`${row.operator}>`, colors.dim]);
  if (row.tries > 1) facts.push([`try ${row.tries}`, colors.yellow]);
  if (row.message !== '') facts.push([headline(row.message), row.state === 'failed' ? colors.red : colors.yellow]);
  return facts;
}

function timeOf(row: TaskRow, now: number): string {
  return row.state === 'running' || row.state === 'waiting'
    ? elapsed((now - row.started) / 1000)
    : duration(row.seconds);
}

function markOf(view: RunView, node: TreeNode, { colors, unicode, frame }: TreeOptions): string {
  if (node.row?.state === 'waiting') return colors.yellow(unicode ? '↻' : '~');
  if (node.running > 0) {
    const wheel = unicode ? WHEEL : ASCII_WHEEL;
    return colors.cyan(wheel[frame % wheel.length] ?? '');
  }
  if (node.failed > 0) return colors.red(unicode ? '✗' : 'x');
  if (node.pending > 0 && (node.done === 0 || view.ended === undefined)) {
    return colors.dim(view.ended === undefined ? (unicode ? '·' : '.') : '-');
  }
  return colors.green(unicode ? '✓' : '*');
}

/** `12 done · 1 failed · 3 running · 4 to come · 0:42` */
export function renderStatus(view: RunView, options: TreeOptions): string {
  const { colors, unicode, columns } = options;
  const { done, failed, running, pending } = view.root;
  const parts = [`${done} done`];
  if (failed > 0) parts.push(`${failed} failed`);
  if (running > 0) parts.push(`${running} running`);
  if (pending > 0) parts.push(`${pending} to come`);
  if (view.started !== undefined) parts.push(elapsed((options.now - Date.parse(view.started.time)) / 1000));
  return colors.dim(truncate(parts.join(unicode ? ' · ' : ', '), columns - 1));
}
