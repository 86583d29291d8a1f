/** Turns the reasons why RunTask started nothing into the error names that a state's Retry matches. */
import type { Failure } from '@aws-sdk/client-ecs';
import { ERRORS, TrowelError } from '../contract/errors.ts';
import { passing } from '../contract/faults.ts';

const NO_ADDRESS = /free (?:ip )?address|InsufficientFreeAddresses/i;
const NO_CAPACITY =
  /capacity is unavailable|RESOURCE:(?:CPU|MEMORY|ENI|PORTS|GPU|FARGATE)|insufficient|number of vCPUs|concurrent tasks|try again/i;

/** The cluster has Spot only where the files of the project ask for it. */
const NOT_ATTACHED = /capacity provider.*(?:not associated|not found|cannot contain|must be associated)/i;
const NO_SPOT =
  'Spot was asked for only by a parameter: write `spot:` into the resources of the task, or into `task:` of trowel.yml, and deploy again';

/** For `failures` in an answer of 200. */
export function shortage(failures: readonly Failure[], subnets: readonly string[] = []): TrowelError {
  const [first] = failures;
  const reason = [first?.reason, first?.detail].filter((part) => part !== undefined).join(': ');
  const name = passing({ $fault: 'client', message: reason }) ?? ERRORS.noCapacity;
  // ECS understood the request, so a later one may succeed.
  return new TrowelError(name, said(reason === '' ? 'it gave no reason' : reason, subnets));
}

/** For an error that the client threw. If waiting cannot help, it becomes Trowel.BadInput, which is not tried again. */
export function refusal(error: unknown, subnets: readonly string[] = []): Error {
  if (error instanceof TrowelError) return error;
  const { name, message } = error as Error;
  // A conflict without a task passes: the next try of the state has another token.
  const passes = NO_ADDRESS.test(message) || NO_CAPACITY.test(message) || name === 'ConflictException';
  const later = passes ? ERRORS.noCapacity : ERRORS.badInput;
  if (NOT_ATTACHED.test(message))
    return new TrowelError(ERRORS.badInput, `${said(message, subnets)} (${NO_SPOT})`, { cause: error });
  return new TrowelError(passing(error) ?? later, said(message === '' ? name : message, subnets), { cause: error });
}

function said(reason: string, subnets: readonly string[]): string {
  const where = NO_ADDRESS.test(reason) ? ` (${noAddress(subnets)})` : '';
  return `ECS started no container: ${reason}${where}`;
}

/** A container takes one address of its subnet; those of containers that have ended come back after some minutes. */
export function noAddress(subnets: readonly string[]): string {
  const which = subnets.length === 0 ? 'the subnets' : subnets.join(', ');
  return `no free address in ${which}: let fewer tasks run at once, or give larger subnets; trowel check --aws shows what is free`;
}
