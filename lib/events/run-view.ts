/**
 * The view of a run, made from its events: the tree of tasks with counts, and the final failures. Everything that draws a run reads only this.
 */
import { present } from '../asl/present.ts';
import type { RunEvent } from './run-event.ts';
import { nameParts } from './task-names.ts';

export type TaskState = 'running' | 'waiting' | 'succeeded' | 'failed';

export interface TaskRow {
  readonly task: string;
  readonly operator: string;
  readonly state: TaskState;
  /** Milliseconds since the epoch. */
  readonly started: number;
  readonly seconds: number;
  readonly tries: number;
  readonly replayed: boolean;
  /** The message of the last failure, or of the try before the present one. */
  readonly message: string;
  /** `main.dig:3`. */
  readonly at?: string;
}

export type TaskFailed = Extract<RunEvent, { type: 'task-failed' }>;
export type RunStarted = Extract<RunEvent, { type: 'run-started' }>;
export type RunEnded = Extract<RunEvent, { type: 'run-ended' }>;

/** A task or a group. A group has no row of its own unless its operator made events (if>, loops, call>). */
export interface TreeNode {
  readonly label: string;
  readonly children: Map<string, TreeNode>;
  readonly parent?: TreeNode;
  row?: TaskRow;
  /** Counts of this node and everything below it. */
  running: number;
  failed: number;
  done: number;
  /** Tasks of the file, this or below, of which nothing has been heard yet. */
  pending: number;
  /** One of these itself. */
  expected: boolean;
  /** Children with something running or failed: a loop of 20,000 must not be walked for every frame. */
  readonly lively: Set<TreeNode>;
}

export interface RunView {
  started?: RunStarted;
  ended?: RunEnded;
  readonly root: TreeNode;
  /** Failures that no later try of the same task has undone, in the order they happened. */
  readonly failures: Map<string, TaskFailed>;
  replayed: number;
  /** The places of the failed tasks, `main.dig:3`. */
  readonly places: Map<string, string>;
  /** Tasks that have printed a traceback. */
  readonly traced: Set<string>;
}

/** @param outline full names of the tasks that are to run, as far as the file says (outline.ts) */
export function newRunView(outline: Iterable<string> = []): RunView {
  const root = newNode('');
  for (const task of outline) {
    const node = nodeOf(root, task);
    node.expected = true;
    for (let each: TreeNode | undefined = node; each !== undefined; each = each.parent) each.pending++;
  }
  return { root, failures: new Map(), replayed: 0, places: new Map(), traced: new Set() };
}

function newNode(label: string, parent?: TreeNode): TreeNode {
  const node = {
    label,
    children: new Map(),
    running: 0,
    failed: 0,
    done: 0,
    pending: 0,
    expected: false,
    lively: new Set<TreeNode>(),
  };
  return parent === undefined ? node : { ...node, parent };
}

export function apply(view: RunView, event: RunEvent): void {
  switch (event.type) {
    case 'run-started':
      view.started = event;
      return;
    case 'run-ended':
      view.ended = event;
      return;
    case 'task-started':
      view.failures.delete(event.task);
      view.traced.delete(event.task);
      setRow(view, {
        task: event.task,
        operator: event.operator,
        state: 'running',
        started: Date.parse(event.time),
        seconds: 0,
        tries: event.try,
        replayed: false,
        message: '',
        ...present({ at: event.at }),
      });
      return;
    case 'task-retrying':
      change(view, event.task, { state: 'waiting', message: event.message });
      return;
    case 'task-succeeded':
      view.failures.delete(event.task);
      if (event.replayed) view.replayed++;
      change(view, event.task, {
        state: 'succeeded',
        seconds: event.seconds,
        replayed: event.replayed === true,
        message: '',
      });
      return;
    case 'task-failed':
      view.failures.delete(event.task);
      view.failures.set(event.task, event);
      notePlace(view, event.task);
      change(view, event.task, { state: 'failed', seconds: event.seconds, message: event.message });
      return;
    case 'notice':
    case 'task-report':
      return;
    case 'task-output':
      if (event.text.includes('Traceback (most recent call last)')) view.traced.add(event.task);
      return;
  }
}

function notePlace(view: RunView, task: string): void {
  const at = find(view.root, task)?.row?.at;
  if (at !== undefined) view.places.set(task, at);
}

function change(view: RunView, task: string, changes: Partial<TaskRow>): void {
  const before = find(view.root, task)?.row;
  const blank = { task, operator: '', started: 0, seconds: 0, tries: 1, replayed: false, message: '' };
  setRow(view, { state: 'running', ...blank, ...before, task, ...changes });
}

function find(root: TreeNode, task: string): TreeNode | undefined {
  let node: TreeNode | undefined = root;
  for (const part of nameParts(task)) node = node?.children.get(part);
  return node;
}

function setRow(view: RunView, row: TaskRow): void {
  const node = nodeOf(view.root, row.task);
  count(node, -1);
  node.row = row;
  count(node, 1);
  // The first iteration of a loop ends the waiting for the loop.
  for (let each: TreeNode | undefined = node; each !== undefined; each = each.parent) if (each.expected) heardOf(each);
  fold(node);
}

function heardOf(node: TreeNode): void {
  node.expected = false;
  for (let each: TreeNode | undefined = node; each !== undefined; each = each.parent) each.pending--;
}

function nodeOf(root: TreeNode, task: string): TreeNode {
  let node = root;
  for (const part of nameParts(task)) {
    let child = node.children.get(part);
    if (child === undefined || child === FOLDED) {
      const folded = child === FOLDED;
      child = newNode(part, node);
      if (folded) Object.assign(child, { row: { ...FOLDED.row, task }, done: 1 });
      node.children.set(part, child);
    }
    node = child;
  }
  return node;
}

/** Beyond this number of tasks in a group, tasks that are over are only counted: a hundred thousand of them would take 150 MB. */
const SHOWN = 500;

/** A task that is over, of many. */
const FOLDED: TreeNode = {
  ...newNode(''),
  done: 1,
  row: { task: '', operator: '', state: 'succeeded', started: 0, seconds: 0, tries: 1, replayed: false, message: '' },
};

function fold({ parent, row, children, label }: TreeNode): void {
  if (parent === undefined || row?.state !== 'succeeded' || children.size > 0) return;
  if (parent.children.size > SHOWN) parent.children.set(label, FOLDED);
}

function count(leaf: TreeNode, by: 1 | -1): void {
  if (leaf.row === undefined) return;
  const { state } = leaf.row;
  const key = state === 'succeeded' ? 'done' : state === 'failed' ? 'failed' : 'running';
  for (let node: TreeNode | undefined = leaf; node !== undefined; node = node.parent) {
    node[key] += by;
    if (node.running + node.failed > 0) node.parent?.lively.add(node);
    else node.parent?.lively.delete(node);
  }
}
