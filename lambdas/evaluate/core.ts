/**
 * The state before a Choice, Map or Wait that has to read what a template gives: renders the task's scope and reads the value as
 * the operator does. Pure; the same here and on AWS.
 */

import { LIMITS } from '../../lib/asl/limits.ts';
import { good, type Result, toText } from '../../lib/expression/coerce.ts';
import {
  calledFile,
  callFile,
  condition,
  parallelism,
  requirement,
  retry,
  s3Object,
  waitSeconds,
} from '../../lib/expression/directives.ts';
import { TrowelError } from '../../lib/expression/failure.ts';
import { commandOf, type LoopOperator, loopItems } from '../../lib/expression/items.ts';
import { checkVersion } from '../../lib/expression/protocol.ts';
import { render } from '../../lib/expression/render.ts';
import { ERRORS, type EvaluateResults, type Payload } from '../../lib/expression/wire.ts';
import { decode, findMark, isInteger } from '../../lib/language/value-form.ts';
import type { Mapping } from '../../lib/language/workflow.ts';

/** Bytes of iterations: a state's 256 KiB, less what Lambda puts beside an answer. Beyond them the execution would fail without a word of Trowel's. */
const MOST_ITEMS = LIMITS.payloadBytes - 4 * 1024;

/** Throws Trowel.Template for an expression that fails, Trowel.BadInput for a value that the operator does not take. */
export async function evaluate(payload: Payload): Promise<EvaluateResults[keyof EvaluateResults]> {
  checkVersion(payload);
  const rendered = await render({
    layers: payload.seen ?? payload.l,
    builtins: payload.b.vars,
    task: payload.t,
    keys: payload.k,
    passes: () => payload.op === 'keys',
  });
  if (!rendered.ok) throw new TrowelError(rendered.error.name, rendered.error.message);
  return answer(payload, rendered);
}

function answer(
  payload: Payload,
  { keys, own }: { readonly keys: Mapping; readonly own: Mapping },
): EvaluateResults[keyof EvaluateResults] {
  const { op: operator } = payload;
  const command = commandOf(operator, own);
  switch (operator) {
    case 'echo':
      return { text: unwrap(toText(command, '_command')) };
    case 'fail':
      // The state has nothing but a Catch: the failure is the answer.
      throw new TrowelError(ERRORS.taskFailed, unwrap(toText(command ?? '', '_command')));
    case 'if':
      return { v: unwrap(condition(command)) };
    case 'loop':
    case 'for_each':
    case 'for_range':
      return loop(operator as LoopOperator, own);
    case 'wait':
      return { seconds: unwrap(waitSeconds(keys)) };
    case 'call':
      return { file: called(unwrap(callFile(keys)), payload) };
    case 'retry':
      return unwrap(retry(keys._retry ?? null));
    case 'require':
      return unwrap(requirement(own, payload.b.vars));
    case 's3_wait':
      return unwrap(s3Object(keys));
    case 'keys':
      // For the runner, which reads values as they travel.
      return { k: own };
    default:
      return { k: forService(operator, command === undefined ? own : { ...own, _command: command }) };
  }
}

/** What Step Functions hands on as it is: its JSON has the numbers of JavaScript. */
function forService(operator: string, keys: Mapping): Mapping {
  const large = findMark(keys, isInteger);
  if (large === undefined) return decode(keys) as Mapping;
  throw new TrowelError(
    ERRORS.badInput,
    `${operator}>: ${large.path.join('.')} is ${large.mark.text}, and Step Functions keeps integers up to 2^53 exactly. Write it as text (config)`,
  );
}

function loop(operator: LoopOperator, keys: Mapping): EvaluateResults['loop'] {
  const made = unwrap(loopItems(operator, keys));
  // Of loop> the count alone: its iterations are made from their index, and a long list would not fit a variable.
  const items = operator === 'loop' ? made.length : made;
  const bytes = Buffer.byteLength(JSON.stringify(items));
  if (bytes > MOST_ITEMS) {
    throw new TrowelError(
      ERRORS.badInput,
      `${operator}>: its ${made.length} iterations take ${Math.ceil(bytes / 1024)} KiB, and a state machine passes ${MOST_ITEMS / 1024}. Repeat by number (loop>), and look each item up in the task (config)`,
    );
  }
  return '_parallel' in keys ? { items, parallel: unwrap(parallelism(keys._parallel)) } : { items };
}

function called(file: string, { c }: Payload): string {
  const found = c === undefined ? good(file) : calledFile(file, c);
  if (found.ok) return found.value;
  throw new TrowelError(ERRORS.badInput, found.message);
}

/** digdag marks errors of configuration so. */
function unwrap<T>(result: Result<T>): T {
  if (result.ok) return result.value;
  throw new TrowelError(ERRORS.badInput, `${result.message} (config)`);
}
