import { commandOf, loopItems } from '../expression/items.ts';
import { kindOf, loopOver } from '../language/operators.ts';
import type { Group, Node, Task, Value, Workflow } from '../language/workflow.ts';
import { resolveCall } from './called-file.ts';

/** The cost of a node for the machine that holds it: history events of one run, and bytes of definition. */
export interface Weight {
  readonly events: number;
  readonly bytes: number;
}

/**
 * Events by kind of state (AWS's history: entered, scheduled, started, submitted, succeeded, exited…), and about the bytes a state takes
 * besides the task's own keys. Estimates on the high side; the real definition is measured after compiling.
 */
const CONTAINER: Weight = { events: 6, bytes: 1700 };
const FUNCTION: Weight = { events: 5, bytes: 1200 };
const PASS: Weight = { events: 2, bytes: 250 };
const JOIN: Weight = { events: 6, bytes: 900 };
const CHOICE: Weight = { events: 2, bytes: 700 };
const MAP_ITERATION: Weight = { events: 4, bytes: 0 };
/** Bytes that `call>: ${…}` has for each file of the project. */
const CALLED = 100;
/** A node that runs as a machine of its own, as its parent sees it. */
export const DETACHED: Weight = { events: 7, bytes: 1800 };

export function add(...weights: readonly Weight[]): Weight {
  let events = 0;
  let bytes = 0;
  for (const weight of weights) {
    events += weight.events;
    bytes += weight.bytes;
  }
  return { events, bytes };
}

/**
 * Events of a loop whose number of iterations is not known: with as many as stay below this it runs in the machine that holds it, with more in
 * slices. So many of a machine's budget, lest some such loops outgrow it.
 */
const OPEN_LOOP: { readonly events: number; readonly share: number } = { events: 3000, share: 1 / 5 };

/** How often the body of a loop runs; undefined if only the run knows. */
export function iterations(task: Task): number | undefined {
  const command = commandOf(task.operator, task.keys);
  const written = [command, task.keys.count].filter((value) => value !== undefined);
  if (JSON.stringify(written).includes('$')) return writtenLength(task.operator, command);
  const made = loopItems(task.operator, task.keys);
  return made.ok ? made.value.length : 0;
}

/** An expression does not change how long a written list is. */
function writtenLength(operator: string, command: Value | undefined): number | undefined {
  if (typeof command !== 'object' || command === null || Array.isArray(command)) return undefined;
  const over = loopOver(operator);
  if (over === 'range') return typeof command.slices === 'number' ? command.slices : undefined;
  const lists = Object.values(command);
  if (over !== 'lists' || !lists.every(Array.isArray)) return undefined;
  return lists.reduce((product: number, list) => product * (list as readonly Value[]).length, 1);
}

/** Weighs nodes; `replaced` gives the weight of those that were split off already. */
export class Scale {
  readonly #workflows: ReadonlyMap<string, Workflow>;
  readonly #openLoop: number;
  readonly #known = new Map<Node, Weight>();

  constructor(workflows: ReadonlyMap<string, Workflow>, budget: Weight) {
    this.#workflows = workflows;
    this.#openLoop = Math.min(OPEN_LOOP.events, budget.events * OPEN_LOOP.share);
  }

  /** Events of one iteration of a loop, without what starts and ends the loop. */
  round(task: Task): number {
    return this.of(task.body).events + (task.parallel.kind === 'sequential' ? CHOICE.events : MAP_ITERATION.events);
  }

  /** Iterations of an open loop that run in place. */
  mostInPlace(task: Task): number {
    return Math.floor(this.#openLoop / this.round(task));
  }

  set(node: Node, weight: Weight): void {
    this.#known.set(node, weight);
  }

  of(node: Node | undefined): Weight {
    if (node === undefined) return { events: 0, bytes: 0 };
    const known = this.#known.get(node);
    if (known !== undefined) return known;
    // Ends the recursion of a call cycle, which is reported elsewhere.
    this.#known.set(node, { events: 0, bytes: 0 });
    const { error, check, export: exported } = node.directives;
    const own = node.kind === 'group' ? this.#group(node) : this.#task(node);
    const layers: Weight = { events: 0, bytes: exported === undefined ? 0 : JSON.stringify(exported).length + 100 };
    const weight = add(own, this.of(error), this.of(check), layers);
    this.#known.set(node, weight);
    return weight;
  }

  #group(group: Group): Weight {
    const inside = add(...group.children.map((child) => this.of(child)));
    if (group.parallel.kind === 'sequential' && !group.children.some((child) => child.directives.background))
      return inside;
    return add(inside, JOIN, { events: 2 * group.children.length, bytes: 400 * group.children.length });
  }

  #task(task: Task): Weight {
    const keys: Weight = { events: 0, bytes: JSON.stringify(task.keys).length * 1.2 };
    switch (kindOf(task.operator)) {
      case 'container':
        return add(CONTAINER, keys);
      case 'print':
      case 'failure':
        return JSON.stringify(task.command).includes('$') ? add(FUNCTION, keys) : add(PASS, keys);
      case 'condition':
        return add(FUNCTION, CHOICE, keys, this.of(task.body), this.of(task.elseBody));
      case 'inline':
        return isLiteral(task.command)
          ? add(FUNCTION, this.#callee(task.span.file, task.command))
          : add(FUNCTION, DETACHED, CHOICE, { events: 0, bytes: CALLED * this.#workflows.size });
      case 'repeat': {
        const twice = task.parallel.kind === 'expression' ? 2 : 1;
        const count = iterations(task);
        return add(FUNCTION, CHOICE, JOIN, keys, {
          events: count === undefined ? this.#openLoop : count * this.round(task),
          bytes: this.of(task.body).bytes * twice + (count === undefined ? 2 * DETACHED.bytes : 0),
        });
      }
      default:
        return add(FUNCTION, CHOICE, keys);
    }
  }

  #callee(caller: string, command: string): Weight {
    // Relative to the calling file's folder.
    const folder = caller.includes('/') ? caller.slice(0, caller.lastIndexOf('/')) : '';
    const file = resolveCall(folder, command);
    return this.of(this.#workflows.get(file.slice(0, -'.dig'.length))?.root);
  }
}

function isLiteral(command: Value | undefined): command is string {
  return typeof command === 'string' && !command.includes('$');
}
