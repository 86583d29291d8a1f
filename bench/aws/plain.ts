/**
 * The same workflow in the plain pattern, as one would write it by hand in the Cloud Development Kit: a state `ecs:runTask.sync` for each
 * py> and sh>, a Pass for echo>, Parallel and Map for what is parallel, a chain for the rest; no values between tasks, no session, no resume. A
 * handler is reached by a Catch.
 */
import type { Json, Processor, State, StateMachine } from '../../lib/asl/types.ts';
import { VirtualClock } from '../../lib/engine/clock.ts';
import { TaskError } from '../../lib/engine/errors.ts';
import { execute } from '../../lib/engine/execution.ts';
import { TaskTokens } from '../../lib/engine/task-tokens.ts';
import type { Node, Task, Workflow } from '../../lib/language/workflow.ts';
import { Counter, type Counts } from './count.ts';

export interface Seen {
  /** Iterations of the loop at a path, as they ran. */
  readonly rounds: (path: string) => number;
  /** Whether a task failed, in its last try. */
  readonly failed: (path: string) => boolean;
}

interface Place {
  readonly states: { [name: string]: State };
  readonly next: string | undefined;
  readonly handler: string | undefined;
}

export class Plain {
  readonly #workflows: ReadonlyMap<string, Workflow>;
  readonly #seen: Seen;
  #number = 0;

  constructor(workflows: ReadonlyMap<string, Workflow>, seen: Seen) {
    this.#workflows = workflows;
    this.#seen = seen;
  }

  async count(workflow: Workflow): Promise<Counts> {
    const states: { [name: string]: State } = { Failed: { Type: 'Fail' } };
    const start = this.#node(workflow.root, '', { states, next: undefined, handler: 'Failed' });
    if (start === undefined) throw new Error(`${workflow.name} has no state`);
    return this.#run({ QueryLanguage: 'JSONata', StartAt: start, States: states });
  }

  async #run(machine: StateMachine): Promise<Counts> {
    const counter = new Counter();
    const execution = execute(machine, {
      input: {},
      tokens: new TaskTokens(),
      clock: new VirtualClock(),
      invoke: async ({ arguments: given }) => {
        const path = String((given as { readonly Path?: Json }).Path);
        if (this.#seen.failed(path)) throw new TaskError('States.TaskFailed', path);
        return {};
      },
    });
    for await (const event of execution) counter.add(event);
    await execution.outcome;
    return counter;
  }

  /** Adds the node's states; gives the first, or where to go on if it has none. */
  #node(node: Node, above: string, place: Place): string | undefined {
    const path = above + node.name;
    const handler = this.#handler(node, path, place);
    const inner: Place = { ...place, handler };
    return node.kind === 'group' ? this.#group(node, path, inner) : this.#task(node, path, inner);
  }

  #handler(node: Node, path: string, place: Place): string | undefined {
    const { error } = node.directives;
    if (error === undefined) return place.handler;
    return this.#node(error, `${path}^error`, { ...place, next: place.handler }) ?? place.handler;
  }

  #group(node: Node & { kind: 'group' }, path: string, place: Place): string | undefined {
    const parallel = node.parallel.kind !== 'sequential' || node.children.some((child) => child.directives.background);
    if (parallel) {
      const branches = node.children.map((child) => this.#inside((inner) => this.#node(child, path, inner)));
      return this.#put(path, { Type: 'Parallel', Branches: branches }, place);
    }
    let next = place.next;
    for (const child of [...node.children].reverse()) next = this.#node(child, path, { ...place, next }) ?? next;
    return next;
  }

  #task(task: Task, path: string, place: Place): string | undefined {
    switch (task.operator) {
      case 'echo':
        return this.#put(path, { Type: 'Pass' }, place);
      case 'fail':
        return place.handler;
      case 'wait':
        return this.#put(path, { Type: 'Wait', Seconds: 1 }, place);
      case 'if': {
        const body = task.body && this.#node(task.body, `${path}^sub`, place);
        return this.#put(
          path,
          { Type: 'Choice', Choices: [{ Condition: true, Next: body ?? '' }] },
          { ...place, next: undefined },
          false,
        );
      }
      case 'call': {
        const name = String(task.command).replace(/\.dig$/, '');
        const callee = this.#workflows.get(name);
        return callee && this.#node({ ...callee.root, name: '^sub' }, path, place);
      }
      case 'loop':
      case 'for_each':
      case 'for_range':
        return this.#loop(task, path, place);
      case 'py':
      case 'sh':
        return this.#put(path, this.#call('arn:aws:states:::ecs:runTask.sync', path, task), place);
      default:
        return this.#put(path, this.#call('arn:aws:states:::lambda:invoke', path, task), place);
    }
  }

  #loop(task: Task, path: string, place: Place): string | undefined {
    const { body } = task;
    const rounds = this.#seen.rounds(path);
    if (body === undefined) return place.next;
    const processor = this.#inside((inner) => this.#node({ ...body, name: '^sub' }, path, inner));
    const map = {
      Type: 'Map',
      Items: `{% [1..${rounds}] %}`,
      MaxConcurrency: task.parallel.kind === 'sequential' ? 1 : 40,
      ItemProcessor: { ProcessorConfig: { Mode: 'INLINE' }, ...processor },
    };
    return this.#put(path, map as Omit<State, 'End'>, place);
  }

  #call(resource: string, path: string, task: Task): Omit<State, 'End'> {
    const { retry } = task.directives;
    const limit = retry?.kind === 'literal' ? retry.limit : 0;
    const again = { ErrorEquals: ['States.TaskFailed'], MaxAttempts: limit, IntervalSeconds: 1 };
    const Arguments = { Path: path };
    return { Type: 'Task', Resource: resource, Arguments, ...(limit > 0 && { Retry: [again] }) } as Omit<State, 'End'>;
  }

  #inside(body: (place: Place) => string | undefined): Processor {
    const states: { [name: string]: State } = {};
    const place: Place = { states, next: undefined, handler: undefined };
    const start = body(place) ?? this.#put('', { Type: 'Pass' }, place);
    return { StartAt: start, States: states };
  }

  #put(path: string, state: object, { states, next, handler }: Place, ends = true): string {
    this.#number += 1;
    const name = `${path.slice(-60)} ${this.#number}`;
    const { Type } = state as { readonly Type: string };
    const caught = handler !== undefined && ['Task', 'Map', 'Parallel'].includes(Type);
    states[name] = {
      ...state,
      ...(caught && { Catch: [{ ErrorEquals: ['States.ALL'], Next: handler }] }),
      ...(ends && (next === undefined ? { End: true } : { Next: next })),
    } as State;
    return name;
  }
}
