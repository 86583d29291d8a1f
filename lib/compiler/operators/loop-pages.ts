/**
 * A loop whose iterations `evaluate` has counted: few run where they are. Of more it has made pages (lib/contract/payload.ts), and one nested machine
 * runs any of these: a page of iterations as the loop that they are, a page of pages by starting itself for each.
 */
import type { State, Template } from '../../asl/types.ts';
import { evaluateState } from '../evaluate.ts';
import { put } from '../frame.ts';
import { type Expr, template } from '../jsonata.ts';
import { closing, type Edge } from '../scope.ts';
import { type Nested, nestedMachine, partName } from '../split.ts';
import { ending } from './if.ts';
import { pageItems } from './loop-items.ts';
import { at, choose, type Loop, whole } from './loop-rounds.ts';
import { onePart, partsAtOnce, partsInSequence } from './loop-slices.ts';

/** @param variable holds the iterations, or their first page */
export function asMany(loop: Loop, exit: Edge, variable: Expr, few: number): Edge {
  const width = `${variable}w`;
  const nested = pageMachine(loop);
  const many = onePart(loop, nested, { items: template(`${variable}.page`), ...widthInput(loop, width) }, exit);
  return choose(loop.context, `$exists(${variable}.page)`, many, few < 1 ? exit : whole(loop, exit, width));
}

function widthInput({ task }: Loop, width: Expr): { readonly w?: Template } {
  return task.parallel.kind === 'expression' ? { w: template(width) } : {};
}

function pageMachine(loop: Loop): Nested {
  const { context, task, stores } = loop;
  const name = partName(context.unit.program);
  const nested: Nested = { name, canFail: true };
  const body = (inner: Loop['context'], end: Edge): Edge => {
    const variable = `it${inner.unit.next()}`;
    const entry = page({ ...loop, context: inner, items: pageItems(variable) }, nested, `$${variable}`, end);
    const assign = { [variable]: '$states.result.Payload.of' };
    return evaluateState(inner, task, 'page', entry, assign, '^page', { l: [], k: { page: '{% $items %}' } });
  };
  nestedMachine(context, `${context.path}^slice`, stores, body, { name });
  return nested;
}

/** What is on a page, as `evaluate` has just read it. */
function page(loop: Loop, nested: Nested, pages: Expr, exit: Edge): Edge {
  const { context, task } = loop;
  const { kind } = task.parallel;
  const choice = context.unit.stateName(`${context.path}^how`);
  const rules: [Expr, Edge][] = [];
  if (kind !== 'parallel') rules.push(['sequence', pagesInSequence(loop, nested, pages, exit)]);
  if (kind !== 'sequential') rules.push(['together', pagesAtOnce(loop, nested, pages, exit)]);
  const leaf = whole(loop, exit, '$w');
  const led = (edge: Edge) => {
    const to = ending(context, edge);
    return { Assign: { ...closing(context, to), ...to.assign }, Output: {}, to: to.to };
  };
  const choices = rules.map(([how, edge]) => {
    const { to, ...rest } = led(edge);
    return { Condition: template(`$states.input.how="${how}"`), ...rest, Next: to };
  });
  const { to, ...rest } = led(leaf);
  put(context, choice, { Type: 'Choice', Choices: choices, Default: to, ...rest } as State);
  return at(context, choice);
}

function pagesInSequence(loop: Loop, nested: Nested, pages: Expr, exit: Edge): Edge {
  const input = (index: Expr) => ({ items: template(`${pages}[${index}]`), ...widthInput(loop, '$w') });
  return partsInSequence(loop, nested, (index) => `${index}+1<$count(${pages})`, input, exit);
}

function pagesAtOnce(loop: Loop, nested: Nested, pages: Expr, exit: Edge): Edge {
  const input = { items: '{% $states.input %}', ...widthInput(loop, '$w') };
  return partsAtOnce(loop, nested, template(`[${pages}]`), `$count(${pages})`, input, exit);
}
