/** How failures leave the branches and iterations in which they happened: `{f, o?}`, the latest, and the first if it is another. */
import type { Expr } from './jsonata.ts';

/**
 * Characters of the causes of all failures that come together in one state. Handlers see one of them, yet a state holds all: so each is cut to its
 * share. What is cut can still be read (lib/contract/failure.ts).
 */
const MOST_SAID = 40_000;

/** Of a list of failures. */
export const FIRST_FAILURE: Expr = '$merge([$states.input[0].f,$states.input[0].o])';

/** The failure of a frame; `beside` is the number of frames that run at the same time. */
export function failureOfFrame(latest: Expr, first: Expr, beside: Expr): Expr {
  return `$merge([{"f":${cut(latest, beside)}},${latest}=${first}?{}:{"o":${cut(first, beside)}}])`;
}

/** The answer `{stored?, failure?}` of a nested machine that a frame has started; `beside` as above. */
export function answerOfFrame(answer: Expr, beside: Expr): Expr {
  const failure = `$merge([{"f":${cut('$e.f', beside)}},$exists($e.o)?{"o":${cut('$e.o', beside)}}:{}])`;
  return `($a:=${answer};$e:=$a.failure;$exists($e)?$merge([$a,{"failure":${failure}}]):$a)`;
}

function cut(failure: Expr, beside: Expr): Expr {
  if (['0', '1', '2'].includes(beside)) return failure;
  const most = /^\d+$/.test(beside) ? Math.floor(MOST_SAID / Number(beside)) : `$floor(${MOST_SAID}/(${beside}))`;
  return `$merge([${failure},{"Cause":$substring(${failure}.Cause,0,${most})}])`;
}
