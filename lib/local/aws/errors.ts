import { ERRORS, TrowelError } from '../../contract/errors.ts';
import type { Service } from './services.ts';

/**
 * An SDK exception under the name that Step Functions gives it (it uses the SDK for Java, whose modelled exceptions all end with
 * `Exception` and whose others have a general name). `base` is the client's base class: an exception of that very class is not
 * modelled. Missing credentials and regions, which a deployed machine always has, become Trowel.BadInput with what to do.
 */
export function awsError(error: unknown, service: Service, action: string, base: unknown): TrowelError {
  const { name, message, status, requestId } = facts(error);
  const setUp = SET_UP.find(([pattern]) => pattern.test(`${name}: ${message}`))?.[1];
  if (status === undefined) {
    if (setUp !== undefined) return new TrowelError(ERRORS.badInput, `${setUp} (${message})`, { cause: error });
    return new TrowelError(`${service.prefix}.SdkClientException`, `Unable to execute HTTP request: ${message}`, {
      cause: error,
    });
  }
  const where = `(Service: ${service.prefix}, Status Code: ${status}, Request ID: ${requestId ?? 'none'})`;
  const absent = status === 404 ? ABSENT[`${service.prefix}:${action}`] : undefined;
  if (absent) return new TrowelError(`${service.prefix}.${absent[0]}`, `${absent[1]} ${where}`, { cause: error });

  const modelled = typeof base !== 'function' || (error instanceof Error && error.constructor !== base);
  const own = name.endsWith('Exception') ? name : `${name}Exception`;
  const hint = setUp === undefined ? '' : `. ${setUp}`;
  const shown = message === '' || message === 'UnknownError' ? name : message;
  return new TrowelError(modelled ? `${service.prefix}.${own}` : service.general, `${shown} ${where}${hint}`, {
    cause: error,
  });
}

/** Answers to HEAD have no body and hence no code: the SDK for Java reads a 404 so. */
const ABSENT: { readonly [action: string]: readonly [name: string, message: string] } = {
  'S3:headObject': ['NoSuchKeyException', 'The specified key does not exist.'],
  'S3:headBucket': ['NoSuchBucketException', 'The specified bucket does not exist'],
};

const CREDENTIALS =
  'No usable AWS credentials: set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or run `aws configure` or `aws sso login`';
const SET_UP: readonly (readonly [RegExp, string])[] = [
  [/^(CredentialsProviderError|TokenProviderError)|Could not load credentials/i, CREDENTIALS],
  [/Region is missing/i, 'No AWS region: set AWS_REGION, or `region` in ~/.aws/config'],
  [
    /^(ExpiredToken|ExpiredTokenException|RequestExpired|UnrecognizedClientException|InvalidClientTokenId|InvalidAccessKeyId|AuthFailure)\b/,
    'The AWS credentials in use are expired or unknown: renew them, e.g. with `aws sso login`, or set AWS_PROFILE',
  ],
];

interface Facts {
  readonly name: string;
  readonly message: string;
  readonly status?: number;
  readonly requestId?: string;
}

function facts(error: unknown): Facts {
  if (!(error instanceof Error)) return { name: 'Unknown', message: String(error) };
  const inner = error instanceof AggregateError && error.errors[0] instanceof Error ? error.errors[0] : error;
  const message = inner.message || ('code' in inner ? String(inner.code) : inner.name);
  const metadata = '$metadata' in error && typeof error.$metadata === 'object' ? error.$metadata : undefined;
  if (!metadata || !('httpStatusCode' in metadata) || typeof metadata.httpStatusCode !== 'number') {
    return { name: error.name, message };
  }
  const requestId = 'requestId' in metadata && typeof metadata.requestId === 'string' ? metadata.requestId : undefined;
  return { name: error.name, message: error.message, status: metadata.httpStatusCode, ...(requestId && { requestId }) };
}
