/**
 * How to reach a service. By default as every AWS tool does: AWS_PROFILE, AWS_REGION, AWS_ENDPOINT_URL… An s3_wait> with options or secrets
 * of its own adds one argument, `trowel:client`, which is taken out before the call:
 *
 *     {"Bucket": …, "Key": …, "trowel:client": {"secrets": ["aws.s3", "aws"], "mounts": {…}, "region": …, "endpoint": …,
 *      "path_style_access": …}}
 *
 * `secrets` are prefixes under which `access_key_id`, `secret_access_key`, `session_token`, `region`, `endpoint` and (S3) `sse_c_key…` are looked
 * up; the first prefix that has one wins, and secrets win over the options. `mounts` is the task's `_secrets`. Secrets themselves are never
 * in a state. Values may be text, because templates give text; empty text counts as absent.
 */
import { isMapping } from '../../asl/json.ts';
import { present } from '../../asl/present.ts';
import type { Json } from '../../asl/types.ts';

type Mapping = { [key: string]: Json };
type Secret = (key: string, mounts: Mapping) => Promise<string | undefined>;

/** The SDK itself waits for ever where a network swallows what is sent. How long a call may take once it is connected is the state's matter. */
const CONNECTION_MS = 5_000;

export const CLIENT_ARGUMENT = 'trowel:client';

/** An answer of `evaluate` to s3_wait>: the request says how to reach S3 from here. (Deployed, the service's own role does.) */
export function withClientOptions<T>(answer: T): T {
  const { request, client } = answer as { request?: Mapping; client?: Mapping };
  return request === undefined || client === undefined
    ? answer
    : { ...answer, request: { ...request, [CLIENT_ARGUMENT]: client } };
}

/**
 * An answer of `evaluate` to aws>, without the argument: data that gives the arguments could otherwise name secrets, and an address to send
 * them to.
 */
export function withoutClientOptions<T>(answer: T): T {
  const { k } = answer as { k?: Mapping };
  const given = typeof k?.arguments === 'string' ? parsed(k.arguments) : k?.arguments;
  if (k === undefined || !isMapping(given) || !(CLIENT_ARGUMENT in given)) return answer;
  return { ...answer, k: { ...k, arguments: takeClientOptions(given)[0] } };
}

function parsed(text: string): Json {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

export function takeClientOptions(input: Mapping): [args: Mapping, client: Mapping] {
  const { [CLIENT_ARGUMENT]: client, ...args } = input;
  return [args, isMapping(client) ? client : {}];
}

/** The SDK's configuration; puts SSE-C keys, which are arguments, into `args`. */
export async function clientConfig(
  module: string,
  client: Mapping,
  secret: Secret | undefined,
  args: Mapping,
  env: NodeJS.ProcessEnv = process.env,
): Promise<object> {
  const mounts = isMapping(client.mounts) ? client.mounts : {};
  const prefixes = Array.isArray(client.secrets) ? client.secrets.filter((one) => typeof one === 'string') : [];
  const find = async (key: string): Promise<string | undefined> => {
    for (const prefix of prefixes) {
      const value = await secret?.(`${prefix}.${key}`, mounts);
      if (value !== undefined) return value;
    }
    return undefined;
  };
  const option = async (key: string): Promise<string | undefined> => (await find(key)) ?? text(client[key]);

  const accessKeyId = await find('access_key_id');
  const secretAccessKey = await find('secret_access_key');
  const sessionToken = await find('session_token');
  const region = await option('region');
  const endpoint = await option('endpoint');
  const credentials =
    accessKeyId !== undefined && secretAccessKey !== undefined
      ? { accessKeyId, secretAccessKey, ...present({ sessionToken }) }
      : undefined;
  const config = {
    requestHandler: { connectionTimeout: CONNECTION_MS },
    ...present({ region }),
    ...(endpoint !== undefined && { endpoint: endpoint.includes('://') ? endpoint : `https://${endpoint}` }),
    ...present({ credentials }),
  };
  if (module !== '@aws-sdk/client-s3') return config;

  const key = await find('sse_c_key');
  if (key !== undefined) {
    args.SSECustomerKey = key;
    args.SSECustomerAlgorithm = (await find('sse_c_key_algorithm')) ?? 'AES256';
    const md5 = await find('sse_c_key_md5');
    if (md5 !== undefined) args.SSECustomerKeyMD5 = md5;
  }
  // Another endpoint than Amazon's seldom has a host name for each bucket.
  const elsewhere = endpoint ?? env.AWS_ENDPOINT_URL_S3 ?? env.AWS_ENDPOINT_URL;
  const pathStyle = text(client.path_style_access) ?? String(elsewhere !== undefined);
  return { ...config, forcePathStyle: pathStyle === 'true' };
}

function text(value: Json | undefined): string | undefined {
  return value === undefined || value === null || value === '' ? undefined : String(value);
}
