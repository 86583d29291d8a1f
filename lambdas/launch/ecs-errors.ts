/** Why RunTask started nothing, as the names that a state's Retry matches. */
import type { Failure } from '@aws-sdk/client-ecs';
import { type ErrorName, TrowelError } from '../../lib/expression/failure.ts';
import { ERRORS } from '../../lib/expression/wire.ts';

const THROTTLED = /throttl|rate exceeded|too many (?:concurrent )?(?:requests|attempts)|request limit/i;
const NO_CAPACITY =
  /capacity is unavailable|RESOURCE:|insufficient|free (?:ip )?address|number of vCPUs|concurrent tasks|AGENT|try again/i;

/** For `failures` in an answer of 200. */
export function shortage(failures: readonly Failure[]): TrowelError {
  const [first] = failures;
  const reason = [first?.reason, first?.detail].filter((part) => part !== undefined).join(': ');
  const message = `ECS started no container: ${reason === '' ? 'it gave no reason' : reason}`;
  // Whatever it is, the request itself was understood: a later one may succeed.
  return new TrowelError(THROTTLED.test(reason) ? ERRORS.throttled : ERRORS.noCapacity, message);
}

/** For an error that the client threw. What is no matter of time is Trowel.BadInput, which is not tried again. */
export function refusal(error: unknown): Error {
  if (error instanceof TrowelError) return error;
  const { name = '', message = '', $fault, $metadata } = error as ServiceError;
  const said = `ECS started no container: ${message === '' ? name : message}`;
  return new TrowelError(nameOf(name, message, $fault, $metadata?.httpStatusCode), said, { cause: error });
}

interface ServiceError extends Partial<Error> {
  readonly $fault?: 'client' | 'server';
  readonly $metadata?: { readonly httpStatusCode?: number };
}

function nameOf(name: string, message: string, fault: string | undefined, status: number | undefined): ErrorName {
  // Throttling has been seen as InvalidParameterException (cdklabs/construct-hub#415).
  if (THROTTLED.test(name) || THROTTLED.test(message) || status === 429) return ERRORS.throttled;
  // A conflict without a task: another try of the state comes with another token.
  if (NO_CAPACITY.test(message) || name === 'ConflictException') return ERRORS.noCapacity;
  // No status: the network. A fault of the service's own passes.
  if (fault === 'server' || status === undefined || status >= 500) return ERRORS.noCapacity;
  return ERRORS.badInput;
}
