/**
 * Access to what is deployed: executions, their tasks and logs, secrets, and whether a deploy would work. Cores are pure and ask through
 * small interfaces; only the adapters (`…-client.ts`) import a client of the AWS SDK, and are themselves imported when first used, so that
 * nothing else of the command line pays for them.
 */

import { ERRORS } from '../contract/errors.ts';
import { passing } from '../contract/faults.ts';
import { RequestFault } from '../language/request-fault.ts';

/** `setup`: credentials, a region, a way to AWS. `denied`: the caller may not. `absent`: it is not there. `refused`: anything else. */
export type AwsReason = 'setup' | 'denied' | 'absent' | 'refused';

/** A request that AWS did not answer, explained for the user. */
export class AwsFault extends RequestFault {
  override readonly name = 'AwsFault';
  readonly reason: AwsReason;
  /** As IAM names it: `states:StartExecution`. */
  readonly action: string;

  constructor(reason: AwsReason, action: string, message: string, notes: readonly string[], cause?: unknown) {
    super(reason === 'setup' || reason === 'denied' ? 'environment' : 'failed', message, notes, cause);
    this.reason = reason;
    this.action = action;
  }
}

/** Calls a function, and turns what it throws into an AwsFault. */
export async function asking<T>(action: string, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    throw error instanceof AwsFault ? error : explain(action, error);
  }
}

export function isDenied(error: unknown): error is AwsFault {
  return error instanceof AwsFault && error.reason === 'denied';
}

export function isAbsent(error: unknown): boolean {
  return error instanceof AwsFault && error.reason === 'absent';
}

interface Rule {
  /** Of `NAME: message`. */
  readonly text: RegExp;
  readonly reason: AwsReason;
  readonly message: string;
  readonly notes: readonly string[];
}

const LOGIN = 'Sign in (`aws sso login`, `aws configure`), or name a profile: --profile NAME or AWS_PROFILE';

const RULES: readonly Rule[] = [
  {
    text: /Region is missing|Region not accepted/i,
    reason: 'setup',
    message: 'no AWS region is known',
    notes: ['Name the one that you deployed to: --region eu-west-1, AWS_REGION, or `region` in ~/.aws/config'],
  },
  {
    text: /(?:^|[^A-Za-z])(?:ExpiredToken\w*|RequestExpired)|(?:token|session)\b.{0,60}\bexpired/i,
    reason: 'setup',
    message: 'the AWS credentials have expired',
    notes: ['Sign in again, e.g. with `aws sso login`, or name another profile: --profile NAME'],
  },
  {
    text: /^(?:CredentialsProviderError|TokenProviderError|ProviderError)|Could not (?:load credentials|resolve credentials)/i,
    reason: 'setup',
    message: 'there are no AWS credentials',
    notes: [LOGIN],
  },
  {
    text: /^(?:UnrecognizedClient\w*|InvalidClientTokenId|InvalidAccessKeyId|InvalidSignature\w*|SignatureDoesNotMatch|AuthFailure|IncompleteSignature\w*|MissingAuthenticationToken\w*)\b/,
    reason: 'setup',
    message: 'AWS does not know these credentials',
    notes: [LOGIN],
  },
  {
    text: /\b(?:ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH)\b|^TimeoutError/,
    reason: 'setup',
    message: 'AWS cannot be reached',
    notes: ['Check the network, a proxy, and the region’s name'],
  },
];

function explain(action: string, error: unknown): AwsFault {
  const { name, message } = facts(error);
  const text = `${name}: ${message}`;
  if (/AccessDenied|UnauthorizedOperation|AuthorizationError|NotAuthorized|Forbidden/i.test(name)) {
    const notes = message === '' || message === 'UnknownError' ? [] : [message];
    return new AwsFault('denied', action, `your AWS credentials do not allow ${action}`, notes, error);
  }
  const rule = RULES.find((each) => each.text.test(text));
  if (rule !== undefined) {
    return new AwsFault(rule.reason, action, rule.message, [...rule.notes, `(${action}: ${message || name})`], error);
  }
  // What a service has answered; a file that is missing here is no fault of its.
  const passes = error instanceof Error && '$fault' in error ? passing(error) : undefined;
  if (passes !== undefined) {
    const busy = passes === ERRORS.throttled ? 'AWS takes no more calls' : 'AWS could not answer a call';
    return new AwsFault(
      'refused',
      action,
      `${busy} of ${action} for now`,
      ['Try again in a minute', `(${text})`],
      error,
    );
  }
  const absent = /DoesNotExist|NotFound|NoSuch/i.test(name);
  return new AwsFault(absent ? 'absent' : 'refused', action, `${action}: ${message || name}`, [], error);
}

function facts(error: unknown): { readonly name: string; readonly message: string } {
  if (!(error instanceof Error)) return { name: 'Unknown', message: String(error) };
  // A connection that was tried at several addresses.
  const inner = error instanceof AggregateError && error.errors[0] instanceof Error ? error.errors[0] : error;
  const code = 'code' in inner && typeof inner.code === 'string' ? inner.code : '';
  const message = inner.message === '' ? code : inner.message;
  return { name: error.name === 'Error' && code !== '' ? code : error.name, message };
}
