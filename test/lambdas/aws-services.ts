/**
 * A small AWS for the functions' tests: S3, Secrets Manager and SNS are moto's server. RunTask and the calls with a task token are
 * played here, for moto's RunTask starts nothing and its Step Functions has no callback tasks.
 */
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { vi } from 'vitest';
import { type Answer, serve } from '../lib/functions/http/server.ts';
import { type Moto, motoPython, startMoto } from '../lib/local/moto.ts';

export interface Called {
  readonly action: string;
  // biome-ignore lint/suspicious/noExplicitAny: what a client sent, as JSON
  readonly input: any;
}

export interface AwsServices {
  readonly s3: S3Client;
  readonly bucket: string;
  /** Calls of the services that are played. */
  readonly calls: Called[];
  /** Answers of the next calls of an action; without one it succeeds. */
  readonly answers: { [action: string]: (Answer | object)[] };
  put(key: string, content: string | Buffer): Promise<void>;
  get(key: string): Promise<string | undefined>;
  stop(): Promise<void>;
}

export const python = motoPython();

/** Starts it and points the environment of this process there. */
export async function startServices(env: { [name: string]: string } = {}): Promise<AwsServices> {
  if (python === undefined) throw new Error("no Python with moto's server");
  const bucket = 'trowel-test';
  const moto: Moto = await startMoto(python);
  const calls: Called[] = [];
  const answers: AwsServices['answers'] = {};
  const played = await serve((request) => {
    const action = String(request.headers['x-amz-target']).replace(/^.*\./, '');
    calls.push({ action, input: JSON.parse(request.body) });
    const next = answers[action]?.shift() ?? (action === 'RunTask' ? { tasks: [{ taskArn: TASK }], failures: [] } : {});
    const headers = { 'content-type': 'application/x-amz-json-1.1' };
    return 'status' in next ? { headers, ...(next as Answer) } : { headers, body: JSON.stringify(next) };
  });
  const all = {
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    AWS_REGION: 'us-east-1',
    AWS_ENDPOINT_URL: moto.url,
    AWS_ENDPOINT_URL_ECS: played.url,
    AWS_ENDPOINT_URL_SFN: played.url,
    TROWEL_PROJECT: 'p',
    TROWEL_BUCKET: bucket,
    TROWEL_SECRET_PREFIX: 'trowel/p/',
    TROWEL_LOOPBACK: 'true',
    POWERTOOLS_LOG_LEVEL: 'SILENT',
    ...env,
  };
  for (const [name, value] of Object.entries(all)) vi.stubEnv(name, value);
  const s3 = new S3Client({ forcePathStyle: true });
  await s3.send(new CreateBucketCommand({ Bucket: bucket }));
  return {
    s3,
    bucket,
    calls,
    answers,
    put: async (Key, Body) => void (await s3.send(new PutObjectCommand({ Bucket: bucket, Key, Body }))),
    get: (Key) =>
      s3.send(new GetObjectCommand({ Bucket: bucket, Key })).then(
        ({ Body }) => Body?.transformToString(),
        () => undefined,
      ),
    stop: async () => {
      vi.unstubAllEnvs();
      await Promise.all([moto.stop(), played.close()]);
    },
  };
}

export const TASK = 'arn:aws:ecs:us-east-1:123456789012:task/cluster/0123456789abcdef';

/** An error as a service of the JSON protocol says it. */
export function fault(name: string, message = '', more: object = {}, status = 400): Answer {
  return { status, body: JSON.stringify({ __type: name, message, ...more }) };
}
