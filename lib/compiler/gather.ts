/**
 * What many branches or iterations store comes together in one layer, as references at least: thousands of these are larger than a state. So
 * where many can come, the Choice after a join also looks at the layer's size, and if it is large has `evaluate` write it to the value store. A
 * run in which it stays small makes not one state more for it.
 */
import type { State, Template } from '../asl/types.ts';
import { REFERENCE } from '../contract/fit.ts';
import { PROTOCOL } from '../contract/payload.ts';
import { put } from './frame.ts';
import { type Expr, template } from './jsonata.ts';
import { catchers } from './payload.ts';
import { REPEATABLE } from './retry.ts';
import { type Context, taskName } from './scope.ts';

/** Characters of JSON that a layer may have before it is gathered; as many layers as exist at the same time share them. */
const MOST = 48 * 1024;

interface Rule {
  readonly Condition: Template;
  readonly Assign?: object;
  readonly Output: Template;
  readonly Next: string;
}

/** A further rule of the Choice `back`, which is made again once the layer is small. None where few store, unless what they do has no bounds. */
export function gatherRules(context: Context, back: string, bounded = true): Rule[] {
  const layer = context.levels.at(-1)?.variable;
  if (layer === undefined || (bounded && !context.unit.program.gathers)) return [];
  const { unit } = context;
  const name = unit.stateName(`${context.path}^gather`);
  const room = roomOf(context);
  unit.needs(name, { kind: 'function', name: 'evaluate' });
  put(context, name, {
    Type: 'Task',
    Resource: 'arn:aws:states:::lambda:invoke',
    Arguments: {
      FunctionName: '${evaluate}',
      Payload: {
        v: PROTOCOL,
        t: taskName(context),
        l: [],
        b: '{% $b %}',
        k: { stored: template(`$${layer}`), room: template(room) },
        op: 'gather',
      },
    },
    Retry: REPEATABLE,
    ...catchers(context),
    Assign: { [layer]: '{% $states.result.Payload.s %}' },
    // The failures of the branches, which the Choice is about.
    Output: '{% $states.input %}',
    Next: back,
  } as State);
  return [{ Condition: template(`$length($string($${layer}))>${room}`), Output: '{% $states.input %}', Next: name }];
}

/** Bytes that the innermost layer may have. A nested machine gets the number of machines that run at the same time in `$W`. */
function roomOf({ unit, shares }: Context): Expr {
  const counts = shares.map(({ count }) => `(${count})`);
  if (unit.outerLayers !== undefined) counts.push('$reduce($W,function($a,$x){$a*$x[1]},1)');
  if (counts.length === 0) return String(MOST);
  return `$max([${REFERENCE},$floor(${MOST}/${counts.join('/')})])`;
}
