/**
 * Splits a workflow that is too large for one machine: runs of children become groups without a name, and loops are cut into slices,
 * which split.ts compiles as nested machines.
 */

import { LIMITS } from '../asl/limits.ts';
import { present } from '../asl/present.ts';
import { kindOf, loopOver } from '../language/operators.ts';
import type { Group, Node, Parallelism, Task, Workflow } from '../language/workflow.ts';
import { isGraph } from './graph.ts';
import type { Slices } from './slices.ts';
import { isDynamic } from './static-task.ts';
import { DETACHED, iterations, Scale, type Weight } from './weight.ts';

/** The estimated size that one machine may have: history with room for retries, definition with room for the estimate's error. */
export const BUDGET: Weight = { events: 15_000, bytes: 0.7 * LIMITS.definitionBytes };

/** Events of a machine that is started from within a Map or a loop. */
const STARTED = DETACHED.events + 4;

/**
 * Branches or iterations that end in one state, which holds what they store and how they failed. So many references take 32 KiB, and each
 * failure has 200 characters (failures.ts).
 */
const WIDEST = 200;

export interface Partition {
  readonly workflows: ReadonlyMap<string, Workflow>;
  /** Nodes that become machines of their own. */
  readonly detached: ReadonlySet<Node>;
  /** How a loop is cut, if it is. */
  readonly slices: (loop: Task) => Slices | undefined;
  /** Machines that would still outgrow an execution's history, by the node they hold, with their events. */
  readonly excess: ReadonlyMap<Node, number>;
}

export function partition(workflows: ReadonlyMap<string, Workflow>, budget: Weight = BUDGET): Partition {
  const partitioner = new Partitioner(workflows, budget);
  const split = new Map<string, Workflow>();
  for (const [name, workflow] of workflows)
    split.set(name, { ...workflow, root: partitioner.whole(workflow.root) as Group });
  const { detached, excess } = partitioner;
  return { detached, excess, slices: (loop) => partitioner.slicesOf(loop), workflows: split };
}

class Partitioner {
  readonly detached = new Set<Node>();
  readonly #slices = new Map<Node, Slices>();
  readonly excess = new Map<Node, number>();
  readonly #wide = new Map<Node, boolean>();
  readonly #scale: Scale;
  readonly #budget: Weight;

  constructor(workflows: ReadonlyMap<string, Workflow>, budget: Weight) {
    this.#scale = new Scale(workflows, budget);
    this.#budget = budget;
  }

  slicesOf(loop: Task): Slices | undefined {
    const known = this.#slices.get(loop);
    if (!isDynamic(loop)) return known;
    const count = iterations(loop);
    const inPlace = count !== undefined && known === undefined ? count : this.#mostInPlace(loop);
    return { size: this.#sliceOf(loop), counted: { inPlace, fan: this.#fan() } };
  }

  #fan(): number {
    return Math.min(WIDEST, Math.max(2, Math.floor(this.#budget.events / STARTED)));
  }

  #mostInPlace(loop: Task): number {
    const most = this.#scale.mostInPlace(loop);
    return loop.parallel.kind === 'sequential' ? most : Math.min(most, WIDEST);
  }

  #sliceOf(loop: Task): number {
    const size = Math.max(1, Math.floor(this.#budget.events / this.#scale.round(loop)));
    const { kind } = loop.parallel;
    const wide = kind === 'parallel' || (kind === 'limit' && loop.parallel.limit > WIDEST);
    return wide ? Math.min(size, WIDEST) : size;
  }

  /** A workflow's root, as the machine that it becomes. */
  whole(root: Node): Node {
    const fitted = this.fit(root);
    this.#note(fitted);
    return fitted;
  }

  #note(node: Node): void {
    const { events } = this.#scale.of(node);
    if (events > LIMITS.historyEvents) this.excess.set(node, events);
  }

  /** The node, changed as far as needed for it to fit one machine, and weighed. */
  fit(node: Node): Node {
    if (this.#stays(node)) return node;
    return node.kind === 'group' ? this.#fitGroup(node) : this.#fitTask(node);
  }

  #stays(node: Node): boolean {
    return !this.#isWide(node) && this.#fits(this.#scale.of(node));
  }

  /** Whether a node, or one below it, has more parallel branches than one state takes. */
  #isWide(node: Node): boolean {
    const known = this.#wide.get(node);
    if (known !== undefined) return known;
    const inner =
      node.kind === 'group' ? node.children : [node.body, node.elseBody].filter((each) => each !== undefined);
    const wide =
      !this.detached.has(node) &&
      ((widthOf(node) > WIDEST && !this.#slices.has(node)) || inner.some((each) => this.#isWide(each)));
    this.#wide.set(node, wide);
    return wide;
  }

  #fits(weight: Weight): boolean {
    return weight.events <= this.#budget.events && weight.bytes <= this.#budget.bytes;
  }

  #fitGroup(group: Group): Group {
    const children = group.children.map((child) => this.fit(child));
    const { parallel } = group;
    let fitted: Group = { ...group, children };
    if (!this.#stays(fitted)) {
      if (isGraph(fitted)) {
        fitted = { ...group, children: children.map((child) => (this.#gains(child) ? this.#detach(child) : child)) };
      } else if (parallel.kind === 'limit' && parallel.limit > WIDEST) {
        fitted = {
          ...group,
          parallel: { kind: 'sequential' },
          children: this.#chunks(group, children, parallel.limit),
        };
      } else if (parallel.kind === 'limit') {
        const runs = this.#runs(children, parallel.limit, parallel);
        fitted = { ...group, parallel: { kind: 'sequential' }, children: runs };
      } else {
        fitted = { ...group, children: this.#runs(children, 1, parallel) };
      }
    }
    // Thousands of runs may again be too many for one machine.
    return this.#stays(fitted) || fitted.children.length === group.children.length ? fitted : this.#fitGroup(fitted);
  }

  /** Groups of `limit` children, one after the other. */
  #chunks(group: Group, children: readonly Node[], limit: number): Node[] {
    const chunks: Node[] = [];
    for (let from = 0; from < children.length; from += limit) {
      const chunk = children.slice(from, from + limit);
      const parallel: Parallelism = { kind: 'parallel' };
      const { span } = group;
      chunks.push(this.fit({ kind: 'group', name: '', span, directives: {}, parallel, children: chunk }));
    }
    return chunks;
  }

  /** Children gathered into nameless groups, each within the budget and a multiple of `unit` long. */
  #runs(children: readonly Node[], unit: number, parallel: Parallelism): Node[] {
    const runs: Node[] = [];
    let run: Node[] = [];
    let weight: Weight = { events: 0, bytes: 0 };
    const close = (): void => {
      if (run.length === 0) return;
      const group: Group = { kind: 'group', name: '', span: run[0]!.span, directives: {}, parallel, children: run };
      runs.push(this.#detach(group));
      run = [];
      weight = { events: 0, bytes: 0 };
    };
    children.forEach((child, index) => {
      const own = this.#scale.of(child);
      const next = { events: weight.events + own.events + 4, bytes: weight.bytes + own.bytes + 400 };
      const full = parallel.kind === 'parallel' && run.length >= WIDEST;
      if (run.length > 0 && index % unit === 0 && (full || !this.#fits(next))) close();
      weight = { events: weight.events + own.events + 4, bytes: weight.bytes + own.bytes + 400 };
      run.push(child);
    });
    close();
    return runs;
  }

  #fitTask(task: Task): Task {
    const body = task.body === undefined ? undefined : this.fit(task.body);
    const elseBody = task.elseBody === undefined ? undefined : this.fit(task.elseBody);
    let fitted: Task = {
      ...task,
      ...present({ body, elseBody }),
    };
    if (this.#stays(fitted)) return fitted;
    if (kindOf(task.operator) === 'condition') {
      fitted = {
        ...fitted,
        ...present({
          body: body === undefined ? undefined : this.#detach(body),
          elseBody: elseBody === undefined ? undefined : this.#detach(elseBody),
        }),
      };
    } else if (body !== undefined) {
      const count = iterations(task) ?? 1;
      const size = this.#sliceOf(fitted);
      if (size < count) {
        const events = Math.ceil(count / size) * STARTED;
        const wide = widthOf(fitted) / size > WIDEST;
        const many = (wide || events > this.#budget.events) && loopOver(task.operator) !== 'lists';
        this.#wide.set(fitted, false);
        this.#slices.set(fitted, { size, ...(many && { counted: { inPlace: 0, fan: this.#fan() } }) });
        this.#scale.set(fitted, { events: many ? 2 * STARTED : events, bytes: this.#scale.of(body).bytes });
      } else {
        fitted = { ...fitted, body: this.#detach(body) };
      }
    }
    return fitted;
  }

  #gains(node: Node): boolean {
    const { events, bytes } = this.#scale.of(node);
    return events > DETACHED.events || bytes > DETACHED.bytes;
  }

  #detach(node: Node): Node {
    this.#note(node);
    this.detached.add(node);
    this.#scale.set(node, DETACHED);
    return node;
  }
}

/** Branches or iterations that end in one state. A graph's cannot be gathered into groups. */
function widthOf(node: Node): number {
  const { parallel } = node;
  if (parallel.kind === 'sequential' || parallel.kind === 'expression') return 1;
  const most = parallel.kind === 'limit' ? parallel.limit : Number.POSITIVE_INFINITY;
  if (node.kind === 'group') return isGraph(node) ? 1 : Math.min(most, node.children.length);
  return node.body === undefined ? 1 : Math.min(most, iterations(node) ?? 1);
}
