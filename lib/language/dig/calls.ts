/** call> and require> between the workflows of a project: targets that exist, no circles. */

import { posix } from 'node:path';
import type { Diagnostic, Span } from '../diagnostic.ts';
import { isCall, kindOf } from '../operators.ts';
import { Report } from '../report.ts';
import { didYouMean } from '../suggest.ts';
import { tasksOf } from '../walk.ts';
import type { Task, Workflow } from '../workflow.ts';

export interface Reference {
  readonly kind: 'inline' | 'session';
  readonly operator: string;
  /** Name of the workflow that is called (path without `.dig`); undefined if it is outside the project. */
  readonly target: string | undefined;
  /** As written. */
  readonly text: string;
  readonly span: Span;
  readonly task: Task;
}

/** How the checks reach other workflows: `references` reads one, `exists` does not. */
export interface Library {
  references(name: string): readonly Reference[];
  exists(name: string): boolean;
  names(): readonly string[];
}

/** The workflow that `call>: text` means in a task of `workflow`: relative to its folder, `.dig` may be left out. */
export function callTarget(workflow: string, text: string): string | undefined {
  const file = text.endsWith('.dig') ? text : `${text}.dig`;
  return insideProject(posix.join(posix.dirname(workflow), file), file)?.slice(0, -'.dig'.length);
}

function insideProject(path: string, written: string): string | undefined {
  const normal = posix.normalize(path);
  return written.startsWith('/') || normal === '..' || normal.startsWith('../') ? undefined : normal;
}

/** Every literal call> and require> of a workflow; those with an expression are known at run time. */
export function referencesOf(workflow: Workflow): Reference[] {
  const found: Reference[] = [];
  for (const task of tasksOf(workflow)) {
    const { operator, command } = task;
    const kind = kindOf(operator);
    if ((kind !== 'inline' && kind !== 'session') || typeof command !== 'string' || command === '') continue;
    if (command.includes('${') || (kind === 'session' && elsewhere(task))) continue;
    const target = kind === 'inline' ? callTarget(workflow.name, command) : insideProject(command, command);
    const span = task.spans[`${operator}>`] ?? task.spans._command ?? task.span;
    found.push({ kind, operator, target, text: command, span, task });
  }
  return found;
}

/** `call>: ${x}`, which may reach any file of the project. */
export function callsByExpression({ operator, command }: Task): boolean {
  return isCall(operator) && typeof command === 'string' && command.includes('${');
}

/** A require> into another project cannot be looked up here. */
function elsewhere({ keys }: Task): boolean {
  return keys.project_name !== undefined || keys.project_id !== undefined;
}

/** Names of a workflow and of all that it reaches, itself first. */
export function reachable(name: string, library: Library): string[] {
  const seen = new Set([name]);
  for (const one of seen) {
    for (const { target } of library.references(one)) {
      if (target !== undefined && library.exists(target)) seen.add(target);
    }
  }
  return [...seen];
}

/** Faults in the calls that a workflow makes itself. */
export function checkCalls(workflow: Workflow, library: Library): readonly Diagnostic[] {
  const report = new Report();
  const rings = new Map<string, string[] | undefined>();
  for (const { kind, operator, target, text, span } of library.references(workflow.name)) {
    if (target === undefined) {
      report.error(
        'file-outside-project',
        span,
        `The workflow '${text}' is outside the project's folder`,
        `${operator}> reads only files of the project.`,
      );
    } else if (!library.exists(target)) {
      reportMissing(kind, workflow, target, text, span, library, report);
    } else {
      const id = `${kind} ${target}`;
      const ring = rings.has(id) ? rings.get(id) : circle(workflow.name, target, kind, library);
      rings.set(id, ring);
      if (ring) reportCircle(kind, ring, span, report);
    }
  }
  return report.diagnostics;
}

function reportMissing(
  kind: Reference['kind'],
  workflow: Workflow,
  target: string,
  text: string,
  span: Span,
  library: Library,
  report: Report,
): void {
  if (kind === 'inline') {
    const folder = posix.dirname(workflow.name);
    const near = didYouMean(target, library.names(), 0.34);
    const place = folder === '.' ? undefined : `call> is relative to the folder '${folder}' here.`;
    report.error(
      'call-not-found',
      span,
      `File not found: ${text.endsWith('.dig') ? text : `${text}.dig`}`,
      near,
      place,
    );
    return;
  }
  const bare = text.replace(/\.dig$/, '');
  const note =
    bare !== text && library.exists(bare)
      ? `require> names a workflow, not a file: '${bare}'.`
      : didYouMean(text, library.names(), 0.34);
  report.error(
    'require-not-found',
    span,
    `Dependent workflow does not exist: ${text}`,
    note,
    'require> names a workflow of this project, by its file without `.dig`.',
  );
}

/** A circle of references of one kind, from `start` through `target` back to `start`, as names. */
function circle(start: string, target: string, kind: Reference['kind'], library: Library): string[] | undefined {
  const cameFrom = new Map<string, string | undefined>([[target, undefined]]);
  for (const [name] of cameFrom) {
    if (name === start) {
      const way: string[] = [];
      for (let at: string | undefined = name; at !== undefined; at = cameFrom.get(at)) way.unshift(at);
      return [start, ...way];
    }
    for (const reference of library.references(name)) {
      const next = reference.target;
      if (reference.kind === kind && next !== undefined && !cameFrom.has(next) && library.exists(next))
        cameFrom.set(next, name);
    }
  }
  return undefined;
}

function reportCircle(kind: Reference['kind'], ring: readonly string[], span: Span, report: Report): void {
  const way = ring.join(' → ');
  if (kind === 'inline') {
    report.error(
      'call-cycle',
      span,
      `A workflow cannot call itself: ${way}`,
      'Repeat tasks with loop> or for_each>; start the workflow anew with another session by require>.',
    );
  } else {
    report.warning(
      'call-cycle',
      span,
      `These workflows wait for each other: ${way}`,
      'With the same session time the run never ends.',
    );
  }
}
