/** Why RunTask started nothing, as the names that a state's Retry matches. */
import type { Failure } from '@aws-sdk/client-ecs';
import { TrowelError } from '../../lib/expression/failure.ts';
import { ERRORS } from '../../lib/expression/wire.ts';
import { passing } from '../aws/faults.ts';

const NO_CAPACITY =
  /capacity is unavailable|RESOURCE:|insufficient|free (?:ip )?address|number of vCPUs|concurrent tasks|try again/i;

/** For `failures` in an answer of 200. */
export function shortage(failures: readonly Failure[]): TrowelError {
  const [first] = failures;
  const reason = [first?.reason, first?.detail].filter((part) => part !== undefined).join(': ');
  const message = `ECS started no container: ${reason === '' ? 'it gave no reason' : reason}`;
  // Whatever it is, the request itself was understood: a later one may succeed.
  return new TrowelError(passing({ $fault: 'client', message: reason }) ?? ERRORS.noCapacity, message);
}

/** For an error that the client threw. What is no matter of time is Trowel.BadInput, which is not tried again. */
export function refusal(error: unknown): Error {
  if (error instanceof TrowelError) return error;
  const { name, message } = error as Error;
  // A conflict without a task: another try of the state comes with another token.
  const later = NO_CAPACITY.test(message) || name === 'ConflictException' ? ERRORS.noCapacity : ERRORS.badInput;
  const said = `ECS started no container: ${message === '' ? name : message}`;
  return new TrowelError(passing(error) ?? later, said, { cause: error });
}
