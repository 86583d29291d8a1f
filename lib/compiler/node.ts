/** Groups and tasks: levels, handlers, checks, retries around what an operator becomes. Compiled backwards, from where control goes. */
import { isMapping } from '../asl/json.ts';
import { leadsToTasks } from '../language/operators.ts';
import type { Group, Mapping, Node, Task } from '../language/workflow.ts';
import { repeatedAsGroup, repeats, withoutExport } from './effects.ts';
import { evaluateState } from './evaluate.ts';
import { put } from './frame.ts';
import { isGraph, MOST_IN_GRAPH, plan } from './graph.ts';
import { template } from './jsonata.ts';
import { knownWithin } from './known.ts';
import type { CompileNode } from './operator.ts';
import { compileOperator } from './operators/index.ts';
import { compilePlan } from './parallel.ts';
import { compileRetry, type RetrySpec } from './retry.ts';
import { type Context, childOf, closing, type Edge } from './scope.ts';
import { compileDetached } from './split.ts';
import { mentionsSpot } from './task-needs.ts';

export const compileNode: CompileNode = (context, node, exit) => {
  if (context.unit.program.detached.has(node)) return compileDetached(context, node, exit, compileWhole);
  return compileWhole(context, node, exit);
};

const compileWhole: CompileNode = (context, node, exit) =>
  node.kind === 'group' ? compileGroup(context, node, exit) : compileTask(context, node, exit);

function compileGroup(context: Context, group: Group, exit: Edge): Edge {
  const { error, retry } = group.directives;
  if (isGraph(group) && group.children.length > MOST_IN_GRAPH) {
    const note = 'Gather them into groups of some hundred.';
    const message = `a group with \`_background\` or \`_after\` may have ${MOST_IN_GRAPH} tasks, this has ${group.children.length}`;
    context.unit.report('limit-nesting', 'error', group.span, message, note);
    return exit;
  }
  const stores = context.unit.program.stores(group);
  const named = childOf(context, group.name);
  const inner = inherit(named, group);
  const repeated = retry?.kind === 'literal' && retry.limit > 0;
  const opensLevel =
    stores && !repeated && (group.directives.export !== undefined || error?.directives.export !== undefined);
  return openLevel(inner, opensLevel, (level) => {
    const giveUp = (at: Context): Edge =>
      error === undefined ? context.onFail : compileHandler(at, error, context, opensLevel || (repeated && stores));
    if (repeated) {
      return compileRetry(level, retry, stores, giveUp, (tried) =>
        compilePlan(tried, group, plan(group), exit, compileNode),
      );
    }
    return compilePlan({ ...level, onFail: giveUp(level) }, group, plan(group), exit, compileNode);
  });
}

function compileTask(context: Context, task: Task, exit: Edge): Edge {
  const { error, check, retry } = task.directives;
  const generated = leadsToTasks(task.operator);
  const stores = context.unit.program.stores(task);
  const inner = inherit(childOf(context, task.name), task);
  const wrapped = repeatedAsGroup(task);
  const opensLevel =
    stores &&
    !wrapped &&
    ((task.directives.export !== undefined && (generated || check !== undefined || showsStores(error))) ||
      (generated && error?.directives.export !== undefined));
  const giveUp = (at: Context): Edge =>
    error === undefined
      ? context.onFail
      : compileHandler(at, error, context, generated && (opensLevel || (wrapped && stores)));
  const body = (at: Context): Edge => {
    const checked = check === undefined ? exit : compileNode({ ...at, unrepeatable: undefined }, check, exit);
    return compileOperator(at, task, checked, compileNode);
  };
  return openLevel(inner, opensLevel, (level) => {
    if (retry === undefined || !wrapped) return body({ ...level, onFail: giveUp(level) });
    const repeat = (at: Context, spec: RetrySpec): Edge =>
      compileRetry(at, spec, stores, giveUp, (tried, last) =>
        body(generated ? tried : { ...tried, unrepeatable: last }),
      );
    if (retry.kind === 'literal') return repeat(level, retry);
    const variable = `q${level.unit.next()}`;
    const start = repeat(level, { kind: 'variable', variable });
    return evaluateState(
      { ...level, onFail: giveUp(level) },
      task,
      'retry',
      start,
      { [variable]: '$states.result.Payload' },
      '^retries',
    );
  });
}

/** Whether a task in a handler may see what a task before it in the handler stored. */
function showsStores(handler: Node | undefined): boolean {
  if (handler === undefined) return false;
  const { check, error } = handler.directives;
  return handler.kind === 'group' || leadsToTasks(handler.operator) || check !== undefined || error !== undefined;
}

/** What a node hands down: its export as a layer, its environment and secrets; what is known of variables shrinks. */
function inherit(context: Context, node: Node): Context {
  const { export: exported, env, secrets } = node.directives;
  const stores = context.unit.program.stores(node);
  return {
    ...context,
    layers: exported === undefined ? context.layers : [...context.layers, context.unit.exportLayer(exported)],
    env: env === undefined ? context.env : { ...context.env, ...env },
    secrets: secrets === undefined ? context.secrets : { ...context.secrets, ...secrets },
    ...needsOf(context, exported, node),
    known: knownWithin(context.known, exported ?? {}, stores),
    unrepeatable: undefined,
  };
}

/** Needs of tasks that come from what is exported to them, and from keys of the loop or call around them. */
function needsOf({ mail, spot }: Context, exported: Mapping | undefined, node: Node): Pick<Context, 'mail' | 'spot'> {
  return {
    mail: isMapping(exported?.mail) ? { ...mail, ...exported.mail } : mail,
    spot: spot || mentionsSpot(exported) || (node.kind === 'task' && mentionsSpot(node.keys)),
  };
}

function openLevel(context: Context, opens: boolean, body: (level: Context) => Edge): Edge {
  if (!opens) return body(context);
  const variable = `s${context.unit.next()}`;
  const entry = body({
    ...context,
    levels: [...context.levels, { variable }],
    layers: [...context.layers, `$${variable}`],
  });
  return { ...entry, depth: Math.min(entry.depth, context.levels.length), assign: { [variable]: {}, ...entry.assign } };
}

/**
 * The `_error` of a node, run in the scope of the level it belongs to, at its end. Where its success leads, its failure
 * leads too: to the next handler outwards. Of a node that opened a level, the handler's own `_export` is `weaker` than what was stored there:
 * digdag puts the stores of all tasks below a node into that export.
 */
function compileHandler(level: Context, handler: Node, outside: Context, weaker: boolean): Edge {
  const { unit, frame } = level;
  const exported = weaker ? handler.directives.export : undefined;
  const below = exported === undefined ? level.layers : insertBelowOwn(level, unit.exportLayer(exported));
  // A failed try inside would replace the failure that its next try is to see.
  const error = repeats(handler) ? `h${unit.next()}` : frame.latest;
  const context: Context = {
    ...level,
    layers: [...below, `[{"error":$${error}},0]`],
    handling: true,
    onFail: outside.onFail,
    known: new Map([...level.known].filter(([name]) => name !== 'error')),
    ...needsOf(level, exported, handler),
  };
  const entry = compileNode(context, weaker ? withoutExport(handler) : handler, outside.onFail);
  if (entry.to === undefined) return outside.onFail;
  if (error === frame.latest) return entry;
  const start = unit.stateName(`${level.path}^error^start`);
  const assign = { ...closing(level, entry), [error]: template(`$${frame.latest}`), ...entry.assign };
  put(level, start, { Type: 'Pass', Assign: assign, Output: {}, Next: entry.to });
  return { to: start, depth: level.levels.length, assign: {} };
}

function insertBelowOwn(level: Context, layer: string): string[] {
  const own = level.levels.at(-1);
  const count = own?.variable === undefined ? 0 : own.tries === undefined ? 1 : 2;
  return [
    ...level.layers.slice(0, level.layers.length - count),
    layer,
    ...level.layers.slice(level.layers.length - count),
  ];
}
