import { kindOf } from '../../language/operators.ts';
import { evaluateUnknown } from '../dry-run.ts';
import { requestOf } from '../rendering.ts';
import { valuesOf } from '../values.ts';
import type { LocalFunction } from './invoke.ts';
import { asFunction, type Native } from './native.ts';

export function evaluateFunction({ render, shows, skip }: Native): LocalFunction {
  return asFunction(async (payload) => {
    // evaluate renders by itself: what it sees is rendered once more, only to be shown.
    const own = payload.op === 'page' || payload.op === 'gather';
    if (shows && !own) await render(requestOf(payload));
    const { evaluate } = await import('../../functions/evaluate/core.ts');
    const values = valuesOf(payload);
    if (skip !== undefined && !own) return evaluateUnknown(payload, render, (given) => evaluate(given, values));
    const answer = await evaluate(payload, values);
    const kind = kindOf(payload.op);
    if (kind !== 'poll' && kind !== 'service') return answer;
    const { withClientOptions, withoutClientOptions } = await import('../aws/client-options.ts');
    return kind === 'service' ? withoutClientOptions(answer) : withClientOptions(answer);
  });
}
