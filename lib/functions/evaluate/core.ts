/**
 * The state before a Choice, Map or Wait that has to read what a template gives: renders the task's scope and reads the value as
 * the operator does. Pure; the same here and on AWS.
 */

import { isMapping } from '../../asl/json.ts';
import { ERRORS, TrowelError } from '../../contract/errors.ts';
import { gathered } from '../../contract/fit.ts';
import type { EvaluateResults, LoopPlan, Page, Payload } from '../../contract/payload.ts';
import { checkVersion } from '../../contract/protocol.ts';
import type { Values } from '../../contract/values.ts';
import { bad, good, type Result, toText } from '../../expression/coerce.ts';
import {
  calledFile,
  callFile,
  condition,
  parallelism,
  requirement,
  retry,
  s3Object,
  waitSeconds,
} from '../../expression/directives.ts';
import { commandOf, iterationsOf, listed, MAX_ITEMS } from '../../expression/items.ts';
import { jsonList, type List } from '../../expression/json-list.ts';
import { render } from '../../expression/render.ts';
import { kindOf, loopOver } from '../../language/operators.ts';
import { decode, findMark, hasNoText, isInteger, isReference, parseExact } from '../../language/value-form.ts';
import type { Mapping, Value } from '../../language/workflow.ts';
import { fitsPage, writePages } from './pages.ts';

/** Used for a caller that gives no plan: the iterations of a page. */
const IN_PLACE: LoopPlan = { few: MAX_ITEMS, size: MAX_ITEMS, fan: 200, width: 0 };

/** Throws Trowel.Template for an expression that fails, Trowel.BadInput for a value that the operator does not take. */
export async function evaluate(payload: Payload, values?: Values): Promise<EvaluateResults[keyof EvaluateResults]> {
  checkVersion(payload);
  if (payload.op === 'page') return page(payload.k, values);
  if (payload.op === 'gather') return gather(payload.k, values);
  const rendered = await render({
    layers: payload.seen ?? payload.l,
    builtins: payload.b.vars,
    task: payload.t,
    keys: payload.k,
    passes: (_, mark) => loopOver(payload.op) === 'lists' || (payload.op === 'keys' && hasNoText(mark)),
  });
  if (!rendered.ok) throw new TrowelError(rendered.error.name, rendered.error.message);
  return answer(payload, rendered, values);
}

async function answer(
  payload: Payload,
  { keys, own }: { readonly keys: Mapping; readonly own: Mapping },
  values: Values | undefined,
): Promise<EvaluateResults[keyof EvaluateResults]> {
  const { op: operator } = payload;
  const command = commandOf(operator, own);
  if (operator === 'retry') return unwrap(retry(keys._retry ?? null));
  // For the runner, which reads values in wire form.
  if (operator === 'keys') return { k: own };
  switch (kindOf(operator)) {
    case 'print':
      return { text: unwrap(toText(command, '_command')) };
    case 'failure':
      // The state has nothing but a Catch: the failure is the answer.
      throw new TrowelError(ERRORS.taskFailed, unwrap(toText(command ?? '', '_command')));
    case 'condition':
      return { v: unwrap(condition(command)) };
    case 'repeat':
      return loop(operator, own, payload, values);
    case 'pause':
      return { seconds: unwrap(waitSeconds(operator, keys)) };
    case 'inline':
      return { file: called(unwrap(callFile(operator, keys)), payload) };
    case 'session':
      return unwrap(requirement(own, payload.b.vars));
    case 'poll':
      return unwrap(s3Object(operator, keys));
    default:
      return { k: forService(operator, command === undefined ? own : { ...own, _command: command }) };
  }
}

/** Values that Step Functions passes on unchanged: its JSON has the numbers of JavaScript. */
function forService(operator: string, keys: Mapping): Mapping {
  const large = findMark(asRead(operator, keys), isInteger);
  if (large === undefined) return decode(keys) as Mapping;
  throw new TrowelError(
    ERRORS.badInput,
    `${operator}>: ${large.path.join('.')} is ${large.mark.text}, and Step Functions keeps integers up to 2^53 exactly. Write it as text (config)`,
  );
}

/** If a text gives the arguments of aws>, it is read as JSON there. */
function asRead(operator: string, keys: Mapping): Mapping {
  if (kindOf(operator) !== 'service' || typeof keys.arguments !== 'string') return keys;
  try {
    return { ...keys, arguments: parseExact(keys.arguments) };
  } catch {
    return keys; // the state says what is wrong
  }
}

async function loop(
  operator: string,
  keys: Mapping,
  { i: plan = IN_PLACE }: Payload,
  values: Values | undefined,
): Promise<EvaluateResults['loop']> {
  const iterations = unwrap(iterationsOf(operator, keys, await listsOf(operator, keys, values)));
  const parallel = '_parallel' in keys ? { parallel: unwrap(parallelism(keys._parallel)) } : {};
  const { length, at } = iterations;
  // For loop> only the count is needed: its iterations are made from their index.
  if (length <= plan.few && loopOver(operator) === 'count') return { items: length, ...parallel };
  if (length === 0 || values === undefined || (length <= plan.few && fitsPage(iterations)))
    return { items: Array.from({ length }, (_, index) => at(index)), ...parallel };
  const width = parallel.parallel ?? plan.width;
  return { items: { page: await writePages(iterations, { ...plan, width }, values) }, ...parallel };
}

/** Lists that a for_each> names as a whole and that are stored as a value of their own: read without making values of all of it. */
async function listsOf(
  operator: string,
  keys: Mapping,
  values: Values | undefined,
): Promise<((value: Value | undefined, key: string) => Result<List>) | undefined> {
  const command = commandOf(operator, keys);
  if (loopOver(operator) !== 'lists' || !isMapping(command) || values === undefined) return undefined;
  const opened = new Map<Value, List | undefined>();
  for (const value of Object.values(command)) {
    if (isReference(value)) opened.set(value, value.kind === 'json' ? jsonList(await values.bytes(value)) : undefined);
  }
  if (opened.size === 0) return undefined;
  return (value, key) => {
    if (!isReference(value)) return listed(value, key);
    const list = opened.get(value);
    return list === undefined
      ? bad(`${key} is no list, but a stored value (${value.kind}, ${value.bytes} bytes)`)
      : good(list);
  };
}

/** What `k.page` refers to. */
async function page({ page: reference }: Mapping, values: Values | undefined): Promise<Page> {
  if (values === undefined || !isReference(reference))
    throw new TrowelError(ERRORS.badInput, 'There is no page to read');
  return (await values.read(reference)) as Page;
}

/** Fits what branches have stored (`k.stored`) into `k.room` bytes. */
async function gather({ stored, room }: Mapping, values: Values | undefined): Promise<EvaluateResults['gather']> {
  if (values === undefined || !isMapping(stored) || typeof room !== 'number')
    throw new TrowelError(ERRORS.badInput, 'There is nothing to gather');
  return { s: await gathered(stored, room, values) };
}

function called(file: string, { c }: Payload): string {
  const found = c === undefined ? good(file) : calledFile(file, c);
  if (found.ok) return found.value;
  throw new TrowelError(ERRORS.badInput, found.message);
}

/** As digdag marks errors of configuration. */
function unwrap<T>(result: Result<T>): T {
  if (result.ok) return result.value;
  throw new TrowelError(ERRORS.badInput, `${result.message} (config)`);
}
