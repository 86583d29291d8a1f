import { createHash, createHmac } from 'node:crypto';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type Caller, readParameter } from '../../../../lib/functions/network/parameters.ts';
import { type Answer, type Received, serve } from '../http/server.ts';

const CALLER: Caller = {
  credentials: async () => ({ accessKeyId: 'AKID', secretAccessKey: 'secret', sessionToken: 'session' }),
  region: async () => 'eu-west-1',
};

afterEach(() => void vi.unstubAllEnvs());

async function asked(answer: Answer): Promise<{ readonly found: unknown; readonly request: Received | undefined }> {
  const server = await serve([answer]);
  vi.stubEnv('AWS_ENDPOINT_URL', server.url);
  const found = await readParameter('/trowel/network', CALLER).catch((error: unknown) => error);
  await server.close();
  return { found, request: server.received[0] };
}

const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest();
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

/** By the steps of docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html */
function signature({ headers, body }: Received, signed: string): string {
  const date = String(headers['x-amz-date']);
  const lines = signed.split(';').map((name) => `${name}:${headers[name]}\n`);
  const canonical = ['POST', '/', '', lines.join(''), signed, sha256(body)].join('\n');
  const scope = [date.slice(0, 8), 'eu-west-1', 'ssm', 'aws4_request'];
  const key = scope.reduce<string | Buffer>((made, part) => hmac(made, part), 'AWS4secret');
  return hmac(key, ['AWS4-HMAC-SHA256', date, scope.join('/'), sha256(canonical)].join('\n')).toString('hex');
}

describe('a parameter', () => {
  it('is asked for by a signed request', async () => {
    const { found, request } = await asked({ body: '{"Parameter": {"Value": "x"}}' });
    expect(found).toBe('x');
    if (request === undefined) throw new Error('nothing was asked');
    const { headers, body } = request;
    expect(headers).toMatchObject({ 'x-amz-target': 'AmazonSSM.GetParameter', 'x-amz-security-token': 'session' });
    expect(JSON.parse(body)).toEqual({ Name: '/trowel/network' });
    const [, signed = '', given] = /SignedHeaders=([^,]+), Signature=(\w+)$/.exec(headers.authorization ?? '') ?? [];
    expect(signed.split(';')).toEqual(expect.arrayContaining(['host', 'x-amz-date', 'x-amz-target']));
    expect(given).toBe(signature(request, signed));
  });

  it('may not be there', async () => {
    const body = '{"__type": "com.amazonaws.ssm#ParameterNotFound"}';
    expect((await asked({ status: 400, body })).found).toBeUndefined();
  });

  it.each([
    ['{"__type": "AccessDeniedException", "Message": "not you"}', 'AccessDeniedException', 'not you'],
    ['<html>', 'Status400', 'Status400'],
  ])('that is refused is an error with the service’s name: %s', async (body, name, message) => {
    expect((await asked({ status: 400, body })).found).toMatchObject({ name, message });
  });
});
