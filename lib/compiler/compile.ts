/**
 * Workflow → state machine. The machine is the same here and on AWS; docs/compiling.md shows how each construct
 * becomes states.
 */
import { present } from '../asl/present.ts';
import type { Json, State, StateMachine } from '../asl/types.ts';
import { PROTOCOL } from '../contract/payload.ts';
import type { TaskInfo } from '../contract/task-info.ts';
import type { Diagnostic, Span } from '../language/diagnostic.ts';
import { TASK_DEFAULTS } from '../language/fargate-sizes.ts';
import type { Node, Sla, Workflow } from '../language/workflow.ts';
import { checkHistory, checkLimits } from './check-limits.ts';
import { TASK_ROLE } from './definition-text.ts';
import { storing } from './effects.ts';
import { literal, template } from './jsonata.ts';
import { builtins } from './known.ts';
import { storesMany } from './many.ts';
import { type Needs, ofKind } from './needs.ts';
import { compileNode } from './node.ts';
import { partition } from './partition.ts';
import { REPEATABLE } from './retry.ts';
import type { Context, Edge, Frame } from './scope.ts';
import { compileSla, slaClock, slaMachineName, startSla } from './sla.ts';
import { nestedMachine } from './split.ts';
import { mentionsSpot } from './task-needs.ts';
import { type Deploy, type Program, type TaskLimits, Unit } from './unit.ts';
import { unreachableTasks } from './unreachable.ts';
import type { Weight } from './weight.ts';

export interface CompileOptions {
  /** All workflows that call> and require> may name, by name. */
  readonly workflows: ReadonlyMap<string, Workflow>;
  /** Zone of a workflow that names none, default UTC. */
  readonly timezone?: string;
  /** Line (from 1) of a span, for the table of tasks. */
  readonly line?: (span: Span) => number;
  /** Seconds, for tasks in containers without settings of their own: `task` of trowel.yml. */
  readonly task?: TaskLimits;
  /** For `aws`, an operator that runs only here is an error. */
  readonly target?: 'local' | 'aws';
  /** For machines that are deployed. */
  readonly deploy?: Deploy;
  /** Severity if Step Functions could not take or finish the machine; default `error`. A run here needs no Step Functions. */
  readonly limits?: 'warning' | 'error';
  /** The estimated size that one machine may have. Tests make it smaller, to split small workflows. */
  readonly budget?: Weight;
}

export interface Compiled {
  readonly workflow: string;
  readonly machine: StateMachine;
  /** Machines that were split off, by the name in `${sm_NAME}`. */
  readonly nested: { readonly [name: string]: StateMachine };
  /** Workflows that require> starts. */
  readonly required: readonly string[];
  readonly tasks: { readonly [state: string]: TaskInfo };
  /** Of the machine and the nested ones. */
  readonly needs: Needs;
}

export interface CompileResult {
  /** Absent if a diagnostic is an error. */
  readonly compiled?: Compiled;
  readonly diagnostics: readonly Diagnostic[];
}

export function compile(workflow: Workflow, options: CompileOptions): CompileResult {
  const program = programOf(options, workflow.name);
  const machine = compileMachine(program, program.workflows.get(workflow.name) ?? workflow, options.timezone ?? 'UTC');
  program.diagnostics.push(...unreachableTasks(workflow));
  return resultOf(program, workflow, workflow.name, machine);
}

/**
 * A node that becomes known while a workflow runs (http_call>, add_subtask), as a machine that is started with the layers it sees:
 * input `{v, n, l, b}`, output `{stored, failure?}`.
 */
export function compileFragment(workflow: Workflow, node: Node, options: CompileOptions): CompileResult {
  const program = programOf(options, workflow.name);
  const unit = new Unit(program);
  const frame: Frame = { id: unit.next(), states: {}, latest: 'f0', first: 'o0' };
  const nothing: Edge = { to: 'Done', depth: 1, assign: {} };
  const context = rootContext(unit, frame, workflow, nothing);
  const { name } = nestedMachine(context, node.name, program.stores(node), (inner, end) =>
    compileNode(inner, node, end),
  );
  const machine = program.nested[name]!;
  delete program.nested[name];
  return resultOf(program, workflow, name, machine);
}

function programOf(options: CompileOptions, name: string): Program {
  const parts = partition(options.workflows, options.budget);
  return {
    name,
    workflows: parts.workflows,
    diagnostics: [],
    nested: {},
    required: new Set(),
    tasks: {},
    needs: new Map(),
    spans: new Map(),
    line: options.line ?? (() => 0),
    target: options.target ?? 'local',
    task: options.task ?? TASK_DEFAULTS,
    deploy: options.deploy,
    limits: options.limits ?? 'error',
    stores: storing(parts.workflows),
    gathers: storesMany(parts.workflows, name),
    detached: new Set(parts.detached),
    slices: parts.slices,
    excess: parts.excess,
    stateNames: new Set(['Start', 'Done', 'Failed']),
    parts: new Set(),
    called: new Map(),
  };
}

/** @param name that of the machine */
function resultOf(program: Program, workflow: Workflow, name: string, machine: StateMachine): CompileResult {
  dropUnused(program, name);
  for (const each of [machine, ...Object.values(program.nested)]) checkLimits(program, workflow, each);
  const { diagnostics } = program;
  if (diagnostics.some((diagnostic) => diagnostic.severity === 'error')) return { diagnostics };
  return {
    diagnostics,
    compiled: {
      workflow: workflow.name,
      machine,
      nested: program.nested,
      required: [...program.required],
      tasks: program.tasks,
      needs: [name, ...Object.keys(program.nested)].flatMap((each) => program.needs.get(each) ?? []),
    },
  };
}

/** Removes what was compiled for states that are never reached. */
function dropUnused({ nested, needs }: Program, machine: string): void {
  const used = new Set([machine]);
  // A set that grows is gone through to its end.
  for (const name of used) for (const started of ofKind(needs.get(name) ?? [], 'machine')) used.add(started.name);
  for (const name of Object.keys(nested)) if (!used.has(name)) delete nested[name];
}

function compileMachine(program: Program, workflow: Workflow, zone: string): StateMachine {
  const unit = new Unit(program);
  const id = unit.next();
  const frame: Frame = { id, states: {}, latest: `f${id}`, first: `o${id}` };
  const end: Edge = { to: 'Done', depth: 1, assign: {}, drop: true };
  const context = rootContext(unit, frame, workflow, end);
  checkHistory(program, workflow.root);
  const rooted = compileNode(context, workflow.root, end);
  const watched = workflow.sla !== undefined && program.target === 'aws' ? workflow.sla : undefined;
  const entry = watched === undefined ? rooted : startSla(context, workflow, rooted);
  if (watched !== undefined) program.nested[slaMachineName(workflow.name)] = slaMachine(program, workflow, watched);
  const timezone = workflow.timezone ?? zone;
  const { schedule } = workflow;
  const { deploy } = program;
  unit.needs('Start', { kind: 'function', name: 'session' });
  const { span: _, ...timing } = schedule ?? { span: undefined };
  const start: State = {
    Type: 'Task',
    Resource: 'arn:aws:states:::lambda:invoke',
    Arguments: {
      FunctionName: '${session}',
      Payload: {
        v: PROTOCOL,
        workflow: workflow.name,
        timezone,
        ...present({
          schedule: schedule === undefined ? undefined : (timing as Json),
          sla: watched === undefined ? undefined : slaClock(watched),
        }),
        execution: {
          Id: '{% $states.context.Execution.Id %}',
          Name: '{% $states.context.Execution.Name %}',
          StartTime: '{% $states.context.Execution.StartTime %}',
        },
        input: '{% $states.input %}',
        ...(deploy && deployed(deploy)),
      },
    },
    Retry: REPEATABLE,
    Assign: {
      [`s${id}`]: '{% $states.result.Payload.params %}',
      b: '{% $states.result.Payload.b %}',
      t: unit.templates as Json,
      ...entry.assign,
    },
    Output: {},
    Next: entry.to ?? 'Done',
  };
  const machine: StateMachine = {
    Comment: `${workflow.name} (${workflow.file}), compiled by Trowel`,
    QueryLanguage: 'JSONata',
    StartAt: 'Start',
    States: {
      Start: start,
      ...frame.states,
      ...endings(frame),
    },
  };
  return unit.finish(workflow.name, machine);
}

/** Fields that `session` gets in addition when it is deployed. */
function deployed({ params }: Deploy): { readonly [key: string]: Json } {
  const defaults: { readonly [key: string]: Json } =
    Object.keys(params).length === 0 ? {} : { defaults: literal(params as Json) as Json };
  return { ...defaults, taskRole: TASK_ROLE };
}

function endings(frame: Frame): { readonly [name: string]: State } {
  return {
    Done: { Type: 'Succeed', Output: {} },
    Failed: {
      Type: 'Fail',
      // A failure that came through a task token may have neither, and a Fail without text would fail itself.
      Error: template(`$${frame.first}.Error?$${frame.first}.Error:"States.TaskFailed"`),
      Cause: template(`$${frame.first}.Cause?$${frame.first}.Cause:""`),
    },
  };
}

/** The machine that a workflow's machine starts to watch its `sla:`. The layers that it sees are the session's parameters. */
function slaMachine(program: Program, workflow: Workflow, sla: Sla): StateMachine {
  const unit = new Unit(program, '$L');
  const id = unit.next();
  const frame: Frame = { id, states: {}, latest: `f${id}`, first: `o${id}` };
  const context = rootContext(unit, frame, workflow, { to: 'Done', depth: 1, assign: {}, drop: true });
  const { StartAt, States } = compileSla(context, workflow, sla, compileNode);
  const machine: StateMachine = {
    Comment: `Waits until ${workflow.name} is late (${workflow.file}), compiled by Trowel`,
    QueryLanguage: 'JSONata',
    StartAt,
    States: { ...States, ...endings(frame) },
  };
  return unit.finish(slaMachineName(workflow.name), machine);
}

function rootContext(unit: Unit, frame: Frame, workflow: Workflow, end: Edge): Context {
  const { id } = frame;
  return {
    unit,
    frame,
    name: [],
    path: '',
    layers: [`$s${id}`],
    levels: [{ variable: `s${id}` }],
    onFail: { ...end, to: 'Failed' },
    handling: false,
    env: {},
    secrets: {},
    mail: {},
    spot: mentionsSpot(unit.program.deploy?.params),
    workdir: '',
    tries: [],
    shares: [],
    known: builtins(),
    calls: [workflow.file],
  };
}
