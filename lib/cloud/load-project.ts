/**
 * A project's folder → all that its constructs need: compiled machines, the task definitions they ask for, schedules, the bundle.
 * Nothing here knows the Cloud Development Kit, and faults are diagnostics until all of them are known.
 */
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { StateMachine } from '../asl/types.ts';
import type { Compiled } from '../compiler/compile.ts';
import { compileWorkflow } from '../compiler/compile-project.ts';
import type { Needs, StateNeed } from '../compiler/needs.ts';
import { withTaskComments } from '../compiler/task-comments.ts';
import { MOST_DEFINITIONS } from '../contract/definition-table.ts';
import type { ScheduleSpec } from '../expression/schedule.ts';
import { isExcluded, networkKind, type ProjectConfig } from '../language/config/project-config.ts';
import type { Diagnostic } from '../language/diagnostic.ts';
import { type Project, loadProject as readProject } from '../language/project.ts';
import { hasErrors, sortDiagnostics } from '../language/report.ts';
import type { Mapping, Workflow } from '../language/workflow.ts';
import { makeBundle } from './bundle.ts';
import { buildsOnTrowel } from './dockerfile.ts';
import { ProjectError } from './project-error.ts';
import { type Rights, rightsOf } from './rights.ts';
import { type ScheduleExpression, scheduleExpression } from './schedule-expression.ts';
import { readParameters } from './session-defaults.ts';
import { planTaskDefinitions, type TaskDefinitionPlan } from './task-definitions.ts';

export interface LoadOptions {
  /** Replaces `task.architecture` of trowel.yml. */
  readonly architecture?: 'x86_64' | 'arm64';
  /** The environment in which programs and the user's cache are looked for. Default: that of this process. */
  readonly env?: { readonly [name: string]: string | undefined };
  /** Reports the progress of long steps. Default: on standard error. */
  readonly notice?: (message: string) => void;
  /** Milliseconds; default now. Schedules whose end is past are made disabled. */
  readonly now?: number;
}

/** A project that is ready to be deployed: what `TrowelProject` takes. */
export interface LoadedProject {
  /** Absolute. */
  readonly dir: string;
  readonly name: string;
  readonly config: ProjectConfig;
  readonly machines: readonly DeployedMachine[];
  /** Of all machines. */
  readonly needs: Needs;
  readonly schedules: readonly DeployedSchedule[];
  /** By the key in the states of their tasks. */
  readonly definitions: ReadonlyMap<string, TaskDefinitionPlan>;
  /** The archive that containers fetch: its path, and the SHA-256 of its bytes in hexadecimal. */
  readonly bundle: { readonly file: string; readonly sha256: string };
  readonly warnings: readonly Diagnostic[];
  /** Texts by file, to show the warnings with. */
  readonly sources: ReadonlyMap<string, string>;
}

export interface DeployedMachine {
  /** A workflow's name, or that of a part of it (`main_part1`). */
  readonly name: string;
  /** Whether it is a workflow, not a part of one. */
  readonly whole: boolean;
  /** The workflow that it is, or is a part of. */
  readonly workflow: string;
  readonly machine: StateMachine;
  readonly rights: Rights;
}

export interface DeployedSchedule {
  readonly workflow: string;
  readonly spec: ScheduleSpec;
  /** Of the workflow. */
  readonly timezone: string;
  readonly expression: ScheduleExpression;
}

/** @throws ProjectError with everything that is wrong */
export async function loadTrowelProject(dir: string, options: LoadOptions = {}): Promise<LoadedProject> {
  const project = await readProject(dir);
  const roots = [...project.workflows.keys()].filter(
    (name) => !name.includes('/') && !isExcluded(project.config, name),
  );
  const parameters = readParameters(dir, project.config.params);
  const compiled = await compileAll(project, roots, parameters.params, options.now ?? Date.now());
  const { config: written } = project;
  const config = {
    ...written,
    task: { ...written.task, architecture: options.architecture ?? written.task.architecture },
  };
  const plan = planTaskDefinitions(compiled.needs);
  const diagnostics: Diagnostic[] = [
    ...(roots.length === 0 ? project.diagnostics : roots.flatMap((name) => project.diagnosticsOf(name))),
    ...parameters.diagnostics,
    ...compiled.diagnostics,
    ...plan.unknownImages.map(unknownImage),
  ];
  if (plan.definitions.size > MOST_DEFINITIONS) diagnostics.push(manyDefinitions(plan.definitions.size));
  if (roots.length === 0) diagnostics.push(nothing(project.dir));
  if (!reachesImage(config)) diagnostics.push(unreachableImage());
  if (asksForMore(config)) diagnostics.push(sharedAsItIs());
  if (ignoresPackages(project.dir, config)) diagnostics.push(ignoredPackages(config.apt));
  const fail = () => new ProjectError(project.dir, sortDiagnostics(unique(diagnostics)), project.sources);
  if (hasErrors(diagnostics)) throw fail();
  const bundle = await makeBundle({
    project: project.dir,
    python: config.python,
    architecture: config.task.architecture,
    env: options.env ?? process.env,
    notice: options.notice ?? ((message) => process.stderr.write(`${message}\n`)),
  });
  diagnostics.push(...(bundle.ok ? bundle.warnings : [bundle.diagnostic]));
  if (!bundle.ok) throw fail();
  return {
    dir: project.dir,
    name: project.name,
    config,
    machines: compiled.machines,
    needs: compiled.needs,
    schedules: compiled.schedules,
    definitions: plan.definitions,
    bundle,
    warnings: sortDiagnostics(unique(diagnostics)),
    sources: project.sources,
  };
}

interface CompiledProject {
  readonly machines: DeployedMachine[];
  readonly needs: StateNeed[];
  readonly schedules: DeployedSchedule[];
  readonly diagnostics: Diagnostic[];
}

/** These workflows, and those that they require. */
async function compileAll(
  project: Project,
  roots: readonly string[],
  params: Mapping,
  now: number,
): Promise<CompiledProject> {
  const { config } = project;
  const done: CompiledProject = { machines: [], needs: [], schedules: [], diagnostics: [] };
  const names = new Set(roots);
  // Iterating over a set also reaches what is added on the way.
  for (const name of names) {
    const workflow = project.workflow(name);
    const { compiled, diagnostics } = await compileWorkflow(project, name, { params, target: 'aws', deploy: true });
    done.diagnostics.push(...diagnostics);
    if (workflow === undefined || hasErrors(project.diagnosticsOf(name))) continue;
    const schedule = scheduleOf(workflow, config.timezone, now);
    if (schedule !== undefined && 'code' in schedule) done.diagnostics.push(schedule);
    else if (schedule !== undefined) done.schedules.push(schedule);
    if (compiled === undefined) continue;
    done.machines.push(...deployedMachines(compiled));
    done.needs.push(...compiled.needs);
    for (const each of compiled.required) {
      names.add(each);
      if (isExcluded(config, each)) done.diagnostics.push(requiredAndExcluded(name, each));
    }
  }
  return done;
}

function deployedMachines({ workflow, machine, nested, tasks, needs }: Compiled): DeployedMachine[] {
  return Object.entries({ [workflow]: machine, ...nested }).map(([name, each]) => ({
    name,
    whole: name === workflow,
    workflow,
    machine: withTaskComments(each, tasks),
    rights: rightsOf(needs.filter((need) => need.machine === name)),
  }));
}

function scheduleOf(workflow: Workflow, zone: string, now: number): DeployedSchedule | Diagnostic | undefined {
  if (workflow.schedule === undefined) return undefined;
  const { span, ...spec } = workflow.schedule;
  const timezone = workflow.timezone ?? zone;
  const expression = scheduleExpression(spec, timezone, now);
  if (!('fault' in expression)) return { workflow: workflow.name, spec, timezone, expression };
  return {
    code: 'bad-schedule',
    severity: 'error',
    span,
    message: `This schedule cannot be deployed: ${expression.fault}`,
    notes: [expression.note],
  };
}

function requiredAndExcluded(workflow: string, required: string): Diagnostic {
  return {
    code: 'project-file',
    severity: 'error',
    message: `${workflow} requires ${required}, which \`deploy.exclude\` of trowel.yml keeps out`,
    notes: ['Deploy both, or exclude both.'],
  };
}

function unknownImage(image: string): Diagnostic {
  return {
    code: 'bad-option',
    severity: 'error',
    message: `docker.image ${image} cannot be deployed: a task definition needs to know its image beforehand`,
    notes: ['Write the image itself, and choose among tasks with if>.'],
  };
}

function manyDefinitions(count: number): Diagnostic {
  return {
    code: 'project-file',
    severity: 'error',
    message: `The project needs ${count} task definitions, one for each distinct image and set of secrets of its tasks, and may have ${MOST_DEFINITIONS}`,
    notes: ['Let tasks share sets of secrets (an `_env` on their group), or split the project.'],
  };
}

/** Subnets with only endpoints reach no registry but the account's own. */
function reachesImage({ network, image, apt, dockerfile }: ProjectConfig): boolean {
  const isolated = networkKind(network) === 'own' && network.subnets === 'private' && network.endpoints;
  const own = dockerfile !== undefined || apt.length > 0 || image?.includes('.dkr.ecr.') === true;
  return !isolated || own;
}

function unreachableImage(): Diagnostic {
  return {
    code: 'project-file',
    severity: 'error',
    message: 'Private subnets that have only endpoints do not reach the public registry of the containers’ image',
    notes: [
      'Name an image in an ECR repository of your account (`image:`), build one (`dockerfile:` or `apt:`), or take `endpoints: false`, which makes a NAT gateway.',
    ],
  };
}

function asksForMore({ network }: ProjectConfig): boolean {
  return network.vpc === 'shared' && (network.subnets === 'private' || network.endpoints);
}

function sharedAsItIs(): Diagnostic {
  return {
    code: 'project-file',
    severity: 'error',
    message:
      'The VPC that projects share has public subnets and no interface endpoints: what those cost would be paid for all',
    notes: ['Write `vpc: own`, or leave out `subnets: private` and `endpoints: true`.'],
  };
}

/** A Dockerfile with a base of its own knows nothing of `apt:`, and a missing one is reported already. */
function ignoresPackages(dir: string, { apt, dockerfile }: ProjectConfig): boolean {
  if (apt.length === 0 || dockerfile === undefined) return false;
  const file = resolve(dir, dockerfile);
  return existsSync(file) && !buildsOnTrowel(readFileSync(file, 'utf8'));
}

function ignoredPackages(apt: readonly string[]): Diagnostic {
  return {
    code: 'project-file',
    severity: 'error',
    message: `\`apt: [${apt.join(', ')}]\` would not be in the image: the Dockerfile does not begin with \`FROM trowel\``,
    notes: ['Begin it with `FROM trowel`, the image that `apt:` makes, or install the packages there.'],
  };
}

function nothing(dir: string): Diagnostic {
  return {
    code: 'file-not-found',
    severity: 'error',
    message: `There is no workflow to deploy: ${existsSync(dir) ? `${dir} has no .dig file` : `there is no folder ${dir}`}`,
    notes: ['Change directory to the project, or name it: `-c project=DIR`.'],
  };
}

/** A workflow that two others call is read once and reported by each. */
function unique(diagnostics: readonly Diagnostic[]): Diagnostic[] {
  return [...new Map(diagnostics.map((each) => [JSON.stringify(each), each])).values()];
}
