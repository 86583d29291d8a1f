/**
 * What is known of a run from its events: the tree of tasks with counts, and what has failed for good. Everything that draws a run
 * reads this, and nothing else of the run.
 */
import type { RunEvent } from '../local/run-event.ts';

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
  /** Of the last failure, or of the try that is followed by another. */
  readonly message: string;
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
  /** Of this node and everything below it. */
  running: number;
  failed: number;
  done: number;
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
}

export function newRunView(): RunView {
  return { root: newNode(''), failures: new Map(), replayed: 0 };
}

function newNode(label: string, parent?: TreeNode): TreeNode {
  const node = { label, children: new Map(), running: 0, failed: 0, done: 0, lively: new Set<TreeNode>() };
  return parent === undefined ? node : { ...node, parent };
}

/** `+main+loop^sub+loop-0+x` → `+main`, `+loop`, `+loop-0`, `+x`: a generated `^sub` goes with what follows it. */
export function nameParts(task: string): string[] {
  const parts = task.match(/[+^][^+^]*/g) ?? [task];
  return parts.filter((part, i) => part !== '^sub' || i === parts.length - 1);
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
      setRow(view, {
        task: event.task,
        operator: event.operator,
        state: 'running',
        started: Date.parse(event.time),
        seconds: 0,
        tries: event.try,
        replayed: false,
        message: '',
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
      change(view, event.task, { state: 'failed', seconds: event.seconds, message: event.message });
      return;
    case 'notice':
    case 'task-output':
      return;
  }
}

function change(view: RunView, task: string, changes: Partial<TaskRow>): void {
  const before = find(view.root, task)?.row;
  const blank = { task, operator: '', started: 0, seconds: 0, tries: 1, replayed: false, message: '' };
  setRow(view, { state: 'running', ...blank, ...before, ...changes });
}

function find(root: TreeNode, task: string): TreeNode | undefined {
  let node: TreeNode | undefined = root;
  for (const part of nameParts(task)) node = node?.children.get(part);
  return node;
}

function setRow(view: RunView, row: TaskRow): void {
  let node = view.root;
  for (const part of nameParts(row.task)) {
    let child = node.children.get(part);
    if (child === undefined) {
      child = newNode(part, node);
      node.children.set(part, child);
    }
    node = child;
  }
  count(node, -1);
  node.row = row;
  count(node, 1);
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
