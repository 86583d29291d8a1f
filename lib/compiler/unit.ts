import { createHash } from 'node:crypto';
import { LIMITS } from '../asl/limits.ts';
import { present } from '../asl/present.ts';
import type { Json, StateMachine } from '../asl/types.ts';
import type { TaskInfo } from '../contract/task-info.ts';
import type { Diagnostic, DiagnosticCode, Span } from '../language/diagnostic.ts';
import type { Mapping, Node, Task, Workflow } from '../language/workflow.ts';
import { type Expr, literal } from './jsonata.ts';
import type { Need, StateNeed } from './needs.ts';
import { reachable } from './reachable.ts';
import type { Slices } from './slices.ts';

/** Seconds. */
export interface TaskLimits {
  /** Longest run of a task without a `_timeout` of its own. */
  readonly timeout: number;
  /** Longest silence of a container; counted from scheduling, so it covers a cold start. */
  readonly heartbeat: number;
}

/** Additions to the machines of a deployed project. */
export interface Deploy {
  /** Parameters under those of an execution's input. */
  readonly params: Mapping;
  /** Keys of secrets that tasks may ask for by an expression: `secrets:` of trowel.yml. */
  readonly secrets: readonly string[];
}

/** Shared by the whole compilation: the project's workflows, diagnostics, nested machines. */
export interface Program {
  /** The name of the workflow that is compiled; the names of its nested machines begin with it. */
  readonly name: string;
  readonly workflows: ReadonlyMap<string, Workflow>;
  readonly diagnostics: Diagnostic[];
  readonly nested: { [name: string]: StateMachine };
  readonly required: Set<string>;
  readonly tasks: { [state: string]: TaskInfo };
  /** By the machine that has the states, which it is made of. */
  readonly needs: Map<string, readonly StateNeed[]>;
  /** The place in the file of a state's task. */
  readonly spans: Map<string, Span>;
  /** Line number of an offset, for TaskInfo. */
  readonly line: (span: Span) => number;
  readonly target: 'local' | 'aws';
  readonly task: TaskLimits;
  /** Absent: the machine is not for a deploy. */
  readonly deploy: Deploy | undefined;
  /** The severity if a machine could not be deployed. */
  readonly limits: 'warning' | 'error';
  /** Whether anything at or below a node may store parameters (effects.ts). */
  readonly stores: (node: Node | undefined) => boolean;
  /** Whether there may be so many stores that they must be gathered (gather.ts). */
  readonly gathers: boolean;
  /** Bodies to be compiled as machines of their own: partition.ts decides. */
  readonly detached: Set<Node>;
  /** The slices that nested machines run, if a loop is cut. */
  readonly slices: (loop: Task) => Slices | undefined;
  /** For nodes that could not be split: events of the machine that holds the node. */
  readonly excess: ReadonlyMap<Node, number>;
  readonly stateNames: Set<string>;
  /** Names of nested machines that are given. */
  readonly parts: Set<string>;
  /** Machines of files that `call>: ${…}` may reach, by file and what their tasks inherit. */
  readonly called: Map<string, string>;
}

/** One machine under construction. Numbers are unique in it, so no inner frame assigns a name of an outer one. */
export class Unit {
  readonly program: Program;
  /** In a nested machine: the expression that gives the layers it was started with. */
  readonly outerLayers: Expr | undefined;
  /** In the machine of a called file, and in its parts: the expression that gives the files on the way there. */
  readonly outerCalls: Expr | undefined;
  readonly #templates: { [key: string]: Json } = {};
  readonly #needs = new Map<string, Need[]>();
  #counter = 0;

  constructor(program: Program, outerLayers?: Expr, outerCalls?: Expr) {
    this.program = program;
    this.outerLayers = outerLayers;
    this.outerCalls = outerCalls;
  }

  next(): number {
    return this.#counter++;
  }

  /** Notes what a state asks for. */
  needs(state: string, ...needs: readonly Need[]): void {
    this.#needs.set(state, [...(this.#needs.get(state) ?? []), ...needs]);
  }

  /** The machine that this unit has become, without states that nothing reaches, their tasks and their needs. */
  finish(machine: string, made: StateMachine): StateMachine {
    const { tasks, needs } = this.program;
    const found: StateNeed[] = [];
    const finished = reachable(made, {
      kept: (state) => {
        for (const need of this.#needs.get(state) ?? []) found.push({ ...need, machine, state });
      },
      dropped: (state) => {
        delete tasks[state];
      },
    });
    needs.set(machine, found);
    return finished;
  }

  /** Registers the text of an `_export`; gives its layer. */
  exportLayer(mapping: Mapping): Expr {
    const key = `e${Object.keys(this.#templates).length}`;
    this.#templates[key] = literal(mapping as Json);
    return `[$t.${key}]`;
  }

  /** The value of the variable `$t`. */
  get templates(): Json {
    return this.#templates;
  }

  /**
   * A state name made from the task's path, unique in the whole program so that one table of tasks serves all machines. Long names keep
   * their beginning and end.
   */
  stateName(path: string): string {
    const { stateNames } = this.program;
    for (let n = 1; ; n += 1) {
      const name = shorten(n === 1 ? path : `${path}~${n}`);
      if (!stateNames.has(name)) {
        stateNames.add(name);
        return name;
      }
    }
  }

  report(
    code: DiagnosticCode,
    severity: Diagnostic['severity'],
    span: Span | undefined,
    message: string,
    ...notes: string[]
  ): void {
    this.program.diagnostics.push({ code, severity, message, notes, ...present({ span }) });
  }
}

function shorten(name: string): string {
  if (name.length <= LIMITS.stateNameChars) return name;
  const hash = createHash('sha256').update(name).digest('hex').slice(0, 8);
  return `${name.slice(0, 28)}~${hash}~${name.slice(-41)}`;
}
