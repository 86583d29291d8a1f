import type { State, Template } from '../asl/types.ts';
import { becomesOneState } from '../language/operators.ts';
import type { Group, Node } from '../language/workflow.ts';
import { repeatedAsGroup } from './effects.ts';
import { FIRST_FAILURE } from './failures.ts';
import { compileFrame, put } from './frame.ts';
import { gatherRules } from './gather.ts';
import type { LevelEntry, Plan } from './graph.ts';
import { type Expr, mergeList, template } from './jsonata.ts';
import type { CompileNode } from './operator.ts';
import { assigned, type Context, closing, type Edge, failing, leave, sharing } from './scope.ts';
import type { Program } from './unit.ts';

export function compilePlan(context: Context, group: Group, plan: Plan, exit: Edge, compileNode: CompileNode): Edge {
  const { program } = context.unit;
  switch (plan.kind) {
    case 'node':
      return compileNode(context, plan.node, exit);
    case 'series': {
      let next = exit;
      for (const part of [...plan.parts].reverse()) next = compilePlan(context, group, part, next, compileNode);
      return next;
    }
    case 'parallel': {
      if (plan.parts.length === 0) return exit;
      const branches = plan.parts.map((part, index): Branch => {
        const nodes = nodesOf(part);
        return {
          path: nodes.length === 1 ? context.path + nodes[0]!.name : `${context.path}^${index}`,
          stores: nodes.some(program.stores),
          single: part.kind === 'node' && isPlain(part.node, program),
          body: (inner, end) => compilePlan(inner, group, part, end, compileNode),
        };
      });
      return compileBranches(context, branches, exit);
    }
    case 'levels':
      return compileLevels(context, group, plan.levels, exit, compileNode);
  }
}

function nodesOf(plan: Plan): Node[] {
  switch (plan.kind) {
    case 'node':
      return [plan.node];
    case 'levels':
      return plan.levels.flatMap((level) => level.map((entry) => entry.node));
    default:
      return plan.parts.flatMap(nodesOf);
  }
}

/** A task that becomes one state, which can open its frame itself. */
export function isPlain(node: Node, program: Program): boolean {
  if (node.kind !== 'task' || program.detached.has(node)) return false;
  const { error, check } = node.directives;
  return becomesOneState(node.operator) && error === undefined && check === undefined && !repeatedAsGroup(node);
}

interface Branch {
  readonly path: string;
  readonly stores: boolean;
  readonly single: boolean;
  readonly body: (inner: Context, end: Edge) => Edge;
}

const END: Edge = { to: undefined, depth: 1, assign: {} };

/** A Parallel state and, where a branch can fail, the Choice that raises its failure after all have ended. */
export function compileBranches(context: Context, branches: readonly Branch[], exit: Edge): Edge {
  const storing = branches.filter((branch) => branch.stores).length;
  const frames = branches.map((branch) =>
    compileFrame(
      sharing(context, String(branch.stores ? storing : 1)),
      branch.path,
      { ...branch, beside: String(branches.length) },
      (inner) => branch.body(inner, END),
    ),
  );
  const stores = branches.some((branch) => branch.stores);
  const name = context.unit.stateName(`${context.path}^par`);
  put(context, name, {
    Type: 'Parallel',
    Branches: frames.map((frame) => frame.processor),
    ...join(
      context,
      frames.some((frame) => frame.canFail),
      stores ? '$states.result.stored' : undefined,
      exit,
    ),
  } as State);
  return { to: name, depth: context.levels.length, assign: {} };
}

/**
 * How a Parallel or Map ends: merges the branches' stores in definition order and, if any failed, continues as a failure. The
 * handlers see the last failure in definition order (as digdag), the machine ends with the first.
 */
export function join(
  context: Context,
  canFail: boolean,
  stored: Expr | undefined,
  exit: Edge,
  /** Where the branches' answers are. */
  results: Expr = '$states.result',
): object {
  const catcher = { ErrorEquals: ['States.ALL'], ...failing(context, context.onFail, '$states.errorOutput') };
  const layer = context.levels.at(-1)?.variable;
  const merging =
    stored === undefined || layer === undefined ? {} : { [layer]: template(mergeList([`$${layer}`], stored)) };
  if (!canFail && stored === undefined) return { Catch: [catcher], ...leave(context, exit) };
  const choice = context.unit.stateName(`${context.path}^join`);
  const rules = stored === undefined ? [] : gatherRules(context, choice);
  if (canFail) rules.push(failedRule(context));
  // Merge first: leaving levels reads what this state assigns.
  if (rules.length === 0) return { Catch: [catcher], Assign: merging, Output: {}, Next: passage(context, exit) };
  putRules(context, choice, rules, exit);
  const assign = Object.keys(merging).length === 0 ? {} : { Assign: merging };
  return { Catch: [catcher], ...assign, Output: template(`[${results}.failure]`), Next: choice };
}

function failedRule(context: Context): Rule {
  return {
    Condition: template('$count($states.input)>0'),
    Output: {},
    ...failing(context, context.onFail, '$states.input[-1].f', FIRST_FAILURE),
  };
}

/** A Choice of one rule, leaving by `exit` otherwise. A Choice cannot end a frame: a Pass does. */
export function putChoice(
  context: Context,
  name: string,
  condition: string,
  rule: { readonly Assign?: object; readonly Next: string },
  exit: Edge,
): void {
  putRules(context, name, [{ Condition: condition, Output: {}, ...rule }], exit);
}

interface Rule {
  readonly Condition: Template;
  readonly Assign?: object;
  readonly Output: Template;
  readonly Next: string;
}

export function putRules(context: Context, name: string, rules: readonly Rule[], exit: Edge): void {
  const otherwise = exit.to === undefined ? passage(context, exit) : exit.to;
  const assign = exit.to === undefined ? {} : { ...closing(context, exit), ...exit.assign };
  put(context, name, {
    Type: 'Choice',
    Choices: rules,
    Default: otherwise,
    ...assigned(assign),
    Output: {},
  } as State);
}

/** A Pass that leaves by `exit`, for states that cannot do so themselves. */
export function passage(context: Context, exit: Edge): string {
  const name = context.unit.stateName(`${context.path}^end`);
  put(context, name, { Type: 'Pass', ...leave(context, exit) } as State);
  return name;
}

/**
 * A graph with an N inside. Each level is a Parallel whose branches list the stores of their own ancestors only; the last join merges all
 * in definition order.
 */
function compileLevels(
  context: Context,
  group: Group,
  levels: readonly (readonly LevelEntry[])[],
  exit: Edge,
  compileNode: CompileNode,
): Edge {
  const { unit } = context;
  warnOfAddedWaits(context, group, levels);
  const stored = new Map<number, Expr>();
  const variables = levels.map((level) => {
    const variable = `j${unit.next()}`;
    level.forEach((entry, place) => {
      stored.set(entry.index, `$${variable}[${place}]`);
    });
    return variable;
  });
  const storing = levels.flat().filter((entry) => unit.program.stores(entry.node)).length;
  const all = [...stored].sort(([a], [b]) => a - b).map(([, expr]) => expr);
  let next: Edge = exit;
  for (let number = levels.length - 1; number >= 0; number -= 1) {
    const level = levels[number]!;
    const last = number === levels.length - 1;
    const name = unit.stateName(`${context.path}^par`);
    const frames = level.map((entry) => {
      const seen = entry.ancestors.flatMap((place) => stored.get(place) ?? []);
      const stores = unit.program.stores(entry.node);
      const outer: Context = sharing(
        { ...context, layers: [...context.layers, ...seen] },
        String(stores ? storing : 1),
      );
      const options = { stores, single: isPlain(entry.node, unit.program), beside: String(level.length) };
      return compileFrame(outer, context.path + entry.node.name, options, (inner) =>
        compileNode(inner, entry.node, END),
      );
    });
    const layer = context.levels.at(-1)?.variable;
    const merging: Edge =
      !last || layer === undefined
        ? next
        : { to: mergeLevels(context, layer, all, next), depth: context.levels.length, assign: {} };
    const choice = unit.stateName(`${context.path}^join`);
    putRules(context, choice, [failedRule(context)], merging);
    put(context, name, {
      Type: 'Parallel',
      Branches: frames.map((frame) => frame.processor),
      Catch: [{ ErrorEquals: ['States.ALL'], ...failing(context, context.onFail, '$states.errorOutput') }],
      Assign: {
        [variables[number]!]: template('[$map($states.result,function($r){$exists($r.stored)?$r.stored:{}})]'),
      },
      Output: template('[$states.result.failure]'),
      Next: choice,
    } as State);
    next = { to: name, depth: context.levels.length, assign: {} };
  }
  return next;
}

function mergeLevels(context: Context, layer: string, stored: readonly Expr[], exit: Edge): string {
  const name = context.unit.stateName(`${context.path}^merge`);
  put(context, name, {
    Type: 'Pass',
    Assign: { [layer]: template(mergeList([`$${layer}`], stored.join(','))) },
    Output: {},
    Next: fitting(context, exit) ?? passage(context, exit),
  });
  return name;
}

/** The Choice that has the innermost layer gathered if it is large, and leaves by `exit`; undefined where there is no need. */
export function fitting(context: Context, exit: Edge, bounded = true): string | undefined {
  const choice = context.unit.stateName(`${context.path}^fit`);
  const rules = gatherRules(context, choice, bounded);
  if (rules.length === 0) return undefined;
  putRules(context, choice, rules, exit);
  return choice;
}

/** Only one group is reported; more would say the same. */
const MOST_WARNINGS = 5;

function warnOfAddedWaits(context: Context, group: Group, levels: readonly (readonly LevelEntry[])[]): void {
  let told = 0;
  levels.forEach((level, number) => {
    for (const entry of level) {
      const added = (levels[number - 1] ?? []).filter((other) => !entry.ancestors.includes(other.index));
      for (const other of added) {
        told += 1;
        if (told > MOST_WARNINGS) return;
        context.unit.report(
          'added-wait',
          'warning',
          entry.node.span,
          `${entry.node.name} also waits for ${other.node.name}, which it does not name`,
          `Step Functions cannot express this order inside ${group.name} exactly; put ${entry.node.name} into a group with what it waits for to avoid it.`,
        );
      }
    }
  });
}
