/**
 * Parameters of Systems Manager. One call, signed by the SDK's own signer: a client for it would be one more package of 1 MB in a function
 * that reads a single value.
 */
import { createHash, createHmac, type Hash, type Hmac } from 'node:crypto';
import { SignatureV4 } from '@smithy/signature-v4';

/** What every client of the SDK has resolved in its `config`: whose account, and where. */
export interface Caller {
  readonly credentials: () => Promise<{
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
    readonly sessionToken?: string;
  }>;
  readonly region: () => Promise<string>;
}

/** An error that the service has answered with, named as there. */
export class ParameterFault extends Error {
  readonly $fault = 'client';

  constructor(name: string, message: string) {
    super(message);
    this.name = name;
  }
}

/** Undefined if there is no parameter of this name. @throws ParameterFault */
export async function readParameter(name: string, { credentials, region }: Caller): Promise<string | undefined> {
  const where = await region();
  const url = new URL(endpoint(where));
  const body = JSON.stringify({ Name: name });
  const signer = new SignatureV4({ service: 'ssm', region: where, credentials, sha256: Sha256 });
  const headers = {
    host: url.host,
    'content-type': 'application/x-amz-json-1.1',
    'x-amz-target': 'AmazonSSM.GetParameter',
  };
  const { protocol, hostname } = url;
  const request = { method: 'POST', protocol, hostname, path: '/', query: {}, headers, body };
  const signed = await signer.sign(request as Parameters<typeof signer.sign>[0]);
  const answer = await fetch(url, { method: 'POST', headers: signed.headers, body });
  const said = (await answer.json().catch(() => ({}))) as Said;
  if (answer.ok) return said.Parameter?.Value;
  const fault = (said.__type ?? `Status${answer.status}`).replace(/^.*#/, '');
  if (fault === 'ParameterNotFound') return undefined;
  throw new ParameterFault(fault, said.message ?? said.Message ?? fault);
}

interface Said {
  readonly Parameter?: { readonly Value?: string };
  readonly __type?: string;
  readonly message?: string;
  readonly Message?: string;
}

function endpoint(region: string): string {
  const { AWS_ENDPOINT_URL_SSM, AWS_ENDPOINT_URL } = process.env;
  const suffix = region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com';
  return AWS_ENDPOINT_URL_SSM || AWS_ENDPOINT_URL || `https://ssm.${region}.${suffix}`;
}

type Bytes = string | ArrayBuffer | ArrayBufferView;

/** As the signer asks for it. */
class Sha256 {
  readonly #secret: Bytes | undefined;
  #hash: Hash | Hmac;

  constructor(secret?: Bytes) {
    this.#secret = secret;
    this.#hash = this.#begin();
  }

  update(data: Bytes): void {
    this.#hash.update(bytes(data));
  }

  async digest(): Promise<Uint8Array> {
    return this.#hash.digest();
  }

  reset(): void {
    this.#hash = this.#begin();
  }

  #begin(): Hash | Hmac {
    return this.#secret === undefined ? createHash('sha256') : createHmac('sha256', bytes(this.#secret));
  }
}

function bytes(data: Bytes): string | Uint8Array {
  if (typeof data === 'string') return data;
  return ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    : new Uint8Array(data);
}
