/** What a Task state calls, with the key of the machine's role and over the proxy: other services' APIs as anybody else would. */
import type { Json } from '../../../lib/asl/types.ts';
import { TaskError } from '../../../lib/engine/errors.ts';
import type { Call } from '../../../lib/engine/types.ts';
import { aws } from '../../../lib/local/aws/aws.ts';
import { ROOT } from './deploy.ts';
import { type Keys, signedAs } from './keys.ts';
import { REGION } from './service.ts';

export interface Integrations {
  /** @param role name of the machine's */
  invoke(call: Call, role: string): Promise<Json>;
  close(): void;
}

const LAMBDA = 'arn:aws:states:::lambda:invoke';
/** Seconds between two looks at a job that is waited for. */
const POLL = 0.1;

export function integrations({ keys, url }: { readonly keys: Keys; readonly url: () => string }): Integrations {
  // The client of `aws>` as it runs here: its answers and errors have Step Functions' names already. It reads credentials as "secrets".
  const secret = async (key: string): Promise<string | undefined> => {
    const [, role = '', field] = /^role:(.*)\.(\w+)$/.exec(key) ?? [];
    const { accessKeyId, secretAccessKey } = keys.of(role);
    return { access_key_id: accessKeyId, secret_access_key: secretAccessKey }[field ?? ''];
  };
  const client = aws({
    project: ROOT,
    secret,
    sleep: (seconds, signal) => pause(Math.min(seconds, POLL) * 1000, signal),
  });
  const invoke = async (call: Call, role: string): Promise<Json> => {
    const given = isMapping(call.arguments) ? call.arguments : {};
    if (call.resource === LAMBDA) return invokeFunction(given, call.signal, role);
    const options = { secrets: [`role:${role}`], endpoint: url(), region: REGION };
    try {
      return await client.invoke({
        resource: call.resource,
        arguments: { ...given, 'trowel:client': options },
        signal: call.signal,
        ...(call.submitted !== undefined && { submitted: call.submitted }),
      });
    } catch (error) {
      const { name, message } = error as Error;
      throw new TaskError(name, message);
    }
  };
  return { invoke, close: () => client.close() };

  async function invokeFunction(
    given: { readonly [key: string]: Json },
    signal: AbortSignal,
    role: string,
  ): Promise<Json> {
    const { FunctionName, Payload = {}, Qualifier } = given;
    const name = encodeURIComponent(String(FunctionName));
    const qualifier = Qualifier === undefined ? '' : `?Qualifier=${Qualifier}`;
    const answer = await fetch(`${url()}/2015-03-31/functions/${name}/invocations${qualifier}`, {
      method: 'POST',
      headers: { ...signedAs(keys.of(role), 'lambda', REGION), 'content-type': 'application/json' },
      body: JSON.stringify(Payload),
      signal,
    });
    const text = await answer.text();
    if (!answer.ok) throw refused(answer.status, answer.headers.get('x-amzn-errortype') ?? '', text);
    if (answer.headers.has('x-amz-function-error')) {
      const { errorType } = JSON.parse(text) as { readonly errorType?: string };
      throw new TaskError(errorType ?? 'Lambda.Unknown', text);
    }
    const version = answer.headers.get('x-amz-executed-version') ?? '$LATEST';
    return { ExecutedVersion: version, Payload: JSON.parse(text) as Json, StatusCode: answer.status };
  }
}

/** The service's own errors, by the names that Step Functions gives them. */
function refused(status: number, type: string, text: string): TaskError {
  if (type === 'AccessDeniedException') return new TaskError('Lambda.AWSLambdaException', text);
  if (status === 429) return new TaskError('Lambda.TooManyRequestsException', text);
  return new TaskError(status >= 500 ? 'Lambda.ServiceException' : `Lambda.${type || 'AWSLambdaException'}`, text);
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', stop);
      resolve();
    }, ms);
    const stop = () => {
      clearTimeout(timer);
      reject(new Error('stopped'));
    };
    signal.addEventListener('abort', stop, { once: true });
  });
}

function isMapping(value: Json): value is { readonly [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
