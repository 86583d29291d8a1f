/**
 * Splits a workflow that is too large for one machine: runs of children become groups without a name, and loops are cut into slices,
 * which split.ts compiles as nested machines.
 */
import { LIMITS } from '../asl/limits.ts';
import type { Group, Node, Parallelism, Task, Workflow } from '../language/workflow.ts';
import { isGraph } from './graph.ts';
import { isDynamic } from './operators/loop-items.ts';
import { DETACHED, iterations, Scale, type Weight } from './weight.ts';

/** What one machine may hold by the estimate: history with room for retries, definition with room for the estimate's error. */
export const BUDGET: Weight = { events: 15_000, bytes: 0.7 * LIMITS.definitionBytes };

export interface Slices {
  /** Iterations that one nested machine runs. */
  readonly size: number;
  /** Where `evaluate` counts the iterations; else the compiler has. */
  readonly counted?: Counted;
}

export interface Counted {
  /** So many need no nested machine. */
  readonly inPlace: number;
  /** Slices, or slices of slices, that one machine starts. */
  readonly fan: number;
}

/** Events of a machine that is started from within a Map or a loop. */
const STARTED = DETACHED.events + 4;

/** Slices that one machine starts: references to their iterations take 160 bytes each in a variable. */
const MOST_STARTED = 350;

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
    const inPlace = count !== undefined && known === undefined ? count : this.#scale.mostInPlace(loop);
    return { size: this.#sliceOf(loop), counted: { inPlace, fan: this.#fan() } };
  }

  #fan(): number {
    return Math.min(MOST_STARTED, Math.max(2, Math.floor(this.#budget.events / STARTED)));
  }

  #sliceOf(loop: Task): number {
    return Math.max(1, Math.floor(this.#budget.events / this.#scale.round(loop)));
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
    if (this.#fits(this.#scale.of(node))) return node;
    return node.kind === 'group' ? this.#fitGroup(node) : this.#fitTask(node);
  }

  #fits(weight: Weight): boolean {
    return weight.events <= this.#budget.events && weight.bytes <= this.#budget.bytes;
  }

  #fitGroup(group: Group): Group {
    const children = group.children.map((child) => this.fit(child));
    const { parallel } = group;
    let fitted: Group = { ...group, children };
    if (!this.#fits(this.#scale.of(fitted))) {
      if (isGraph(fitted)) {
        fitted = { ...group, children: children.map((child) => (this.#gains(child) ? this.#detach(child) : child)) };
      } else if (parallel.kind === 'limit') {
        const runs = this.#runs(children, parallel.limit, parallel);
        fitted = { ...group, parallel: { kind: 'sequential' }, children: runs };
      } else {
        fitted = { ...group, children: this.#runs(children, 1, parallel) };
      }
    }
    // Thousands of runs may again be too many for one machine.
    const weight = this.#scale.of(fitted);
    return this.#fits(weight) || fitted.children.length === group.children.length ? fitted : this.#fitGroup(fitted);
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
      if (run.length > 0 && index % unit === 0 && !this.#fits(next)) close();
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
      ...(body === undefined ? {} : { body }),
      ...(elseBody === undefined ? {} : { elseBody }),
    };
    if (this.#fits(this.#scale.of(fitted))) return fitted;
    if (task.operator === 'if') {
      fitted = {
        ...fitted,
        ...(body === undefined ? {} : { body: this.#detach(body) }),
        ...(elseBody === undefined ? {} : { elseBody: this.#detach(elseBody) }),
      };
    } else if (body !== undefined) {
      const count = iterations(task) ?? 1;
      const size = this.#sliceOf(fitted);
      if (size < count) {
        const events = Math.ceil(count / size) * STARTED;
        const many = events > this.#budget.events && task.operator !== 'for_each';
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
