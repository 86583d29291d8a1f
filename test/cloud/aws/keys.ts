/** Access keys: one for the account, one for each role. Signatures are not checked; whose key it is decides what a call may do. */
import { createHash } from 'node:crypto';
import { ACCOUNT_KEY, type Principal } from './service.ts';

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

export class Keys {
  readonly #known = new Map<string, Principal>([[ACCOUNT_KEY, { kind: 'account', accessKey: ACCOUNT_KEY } as const]]);

  /** @param role its name */
  of(role: string): Credentials {
    const accessKeyId = `AKIA${createHash('sha256').update(role).digest('hex').slice(0, 16).toUpperCase()}`;
    this.#known.set(accessKeyId, { kind: 'role', role, accessKey: accessKeyId });
    return { accessKeyId, secretAccessKey: 'secret' };
  }

  /** The CDK's own roles, which it assumes to deploy, do as the account does. */
  addAccountKey(accessKey: string): void {
    this.#known.set(accessKey, { kind: 'account', accessKey });
  }

  who(accessKey: string): Principal | undefined {
    return this.#known.get(accessKey);
  }
}

/** Variables for an SDK in a process of its own. */
export function credentialVariables({ accessKeyId, secretAccessKey }: Credentials): {
  readonly [name: string]: string;
} {
  return { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey };
}

/** Headers of a request in somebody's name. */
export function signedAs(
  { accessKeyId }: Credentials,
  service: string,
  region: string,
): { readonly authorization: string } {
  const scope = `${accessKeyId}/20260101/${region}/${service}/aws4_request`;
  return { authorization: `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host, Signature=${'0'.repeat(64)}` };
}
