import { ERRORS, type ErrorName, TrowelError } from './errors.ts';

/** An error as the SDK's clients throw it; errors of the network have only `code`. */
export interface ServiceError extends Partial<Error> {
  readonly code?: string;
  readonly $fault?: 'client' | 'server';
  readonly $metadata?: { readonly httpStatusCode?: number };
}

const THROTTLED =
  /throttl|rate exceeded|slow ?down|too many ?(?:concurrent )?(?:requests|attempts)|request ?limit|TPS limit/i;
const NETWORK = /^(?:E[A-Z]+|EAI_AGAIN|UND_ERR_.*)$/;

/** The error name on which states retry, for a service's fault that will pass; undefined for any other error. */
export function passing(error: unknown): ErrorName | undefined {
  const { name = '', message = '', code = '', $fault, $metadata } = error as ServiceError;
  const status = $metadata?.httpStatusCode;
  if (name.startsWith('Trowel.')) return undefined;
  // Throttling has been seen as InvalidParameterException (cdklabs/construct-hub#415).
  const known = $fault !== undefined || status !== undefined;
  if (known && (THROTTLED.test(name) || THROTTLED.test(message) || status === 429)) return ERRORS.throttled;
  if ($fault === 'server' || (status !== undefined && status >= 500)) return ERRORS.noCapacity;
  return NETWORK.test(code) || name === 'TimeoutError' ? ERRORS.noCapacity : undefined;
}

/** Makes a function throw a name on which its states retry, when a service that it calls fails for a reason that will pass. */
export function retriable<E, A, Rest extends unknown[]>(
  act: (event: E, ...rest: Rest) => Promise<A>,
): (event: E, ...rest: Rest) => Promise<A> {
  return async (event, ...rest) => {
    try {
      return await act(event, ...rest);
    } catch (error) {
      const name = passing(error);
      if (name === undefined) throw error;
      const { name: given, message } = error as Error;
      throw new TrowelError(name, `A service of AWS did not answer: ${given}: ${message}`, { cause: error });
    }
  };
}
