/**
 * The functions of lib/functions in this process, but for launch, which the run itself answers. What few workflows use (http>, mail>,
 * JavaScript expressions) is loaded when it is first called.
 */
import type { SessionPayload } from '../../contract/payload.ts';
import { session } from '../../functions/session/core.ts';
import { evaluateFunction } from './evaluate.ts';
import { httpFunctions } from './http.ts';
import type { LocalFunction } from './invoke.ts';
import { asFunction, type Native } from './native.ts';
import { notifyFunction } from './notify.ts';

export function nativeFunctions(native: Native): { readonly [name: string]: LocalFunction } {
  return {
    session: asFunction<SessionPayload>(session),
    evaluate: evaluateFunction(native),
    ...httpFunctions(native),
    notify: notifyFunction(native),
  };
}
