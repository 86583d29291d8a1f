import {
  DescribeSecretCommand,
  GetSecretValueCommand,
  type GetSecretValueCommandOutput,
  ResourceNotFoundException,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { type Environment, optional } from './settings.ts';

/** A project's secrets in AWS Secrets Manager, one a key, under `trowel/PROJECT/`. */
export class DeployedSecrets {
  readonly #client: SecretsManagerClient;
  readonly #prefix: string;

  constructor(prefix: string, client = new SecretsManagerClient({})) {
    this.#client = client;
    this.#prefix = prefix;
  }

  /** Read anew each time, so that a rotated secret counts at once. Undefined if there is none. */
  async get(key: string): Promise<string | undefined> {
    return (await this.#read(key))?.SecretString;
  }

  /** Id of the present value, for a function that may read it. */
  async readVersion(key: string): Promise<string | undefined> {
    return (await this.#read(key))?.VersionId;
  }

  async #read(key: string): Promise<GetSecretValueCommandOutput | undefined> {
    try {
      return await this.#client.send(new GetSecretValueCommand({ SecretId: this.#prefix + key }));
    } catch (error) {
      if (isAbsent(error)) return undefined;
      throw error;
    }
  }

  /** Those of the keys that are not set; no value is read. */
  async missing(keys: readonly string[]): Promise<string[]> {
    const found = await Promise.all(keys.map((key) => this.version(key)));
    return keys.filter((_, i) => found[i] === undefined);
  }

  /** The same for one that may not. Undefined if there is none. */
  async version(key: string): Promise<string | undefined> {
    try {
      const secret = await this.#client.send(new DescribeSecretCommand({ SecretId: this.#prefix + key }));
      // One that is being deleted is still described.
      if (secret.DeletedDate !== undefined) return undefined;
      const stages = Object.entries(secret.VersionIdsToStages ?? {});
      return stages.find(([, names]) => names.includes('AWSCURRENT'))?.[0] ?? '';
    } catch (error) {
      if (isAbsent(error)) return undefined;
      throw error;
    }
  }
}

function isAbsent(error: unknown): boolean {
  const { name, message } = error as Error;
  return (
    error instanceof ResourceNotFoundException ||
    (name === 'InvalidRequestException' && /marked (?:for deletion|deleted)|scheduled for deletion/i.test(message))
  );
}

/** Whether a key is among `secrets:` of trowel.yml: deployed, an expression may name no other. */
export function listed(env: Environment = process.env): (key: string) => boolean {
  const keys = new Set(JSON.parse(optional('TROWEL_SECRETS', env) ?? '[]') as string[]);
  return (key) => keys.has(key);
}

/** How to set one, for messages. */
export function secretCommand(key: string): string {
  return `trowel secrets --aws --set ${key}`;
}

export function missingSecret(key: string): string {
  return `Secret not found for key: '${key}'. Set it with: ${secretCommand(key)}`;
}
