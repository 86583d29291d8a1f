import {
  DescribeSecretCommand,
  GetSecretValueCommand,
  ResourceNotFoundException,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';

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
    try {
      const { SecretString } = await this.#client.send(new GetSecretValueCommand({ SecretId: this.#prefix + key }));
      return SecretString;
    } catch (error) {
      if (isAbsent(error)) return undefined;
      throw error;
    }
  }

  /** Those of the keys that are not set; no value is read. */
  async missing(keys: readonly string[]): Promise<string[]> {
    const found = await Promise.all(keys.map((key) => this.#exists(key)));
    return keys.filter((_, i) => !found[i]);
  }

  async #exists(key: string): Promise<boolean> {
    try {
      const secret = await this.#client.send(new DescribeSecretCommand({ SecretId: this.#prefix + key }));
      // One that is being deleted is still described.
      return secret.DeletedDate === undefined;
    } catch (error) {
      if (isAbsent(error)) return false;
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

/** How to set one, for messages. */
export function secretCommand(key: string): string {
  return `trowel secrets --aws --set ${key}`;
}

export function missingSecret(key: string): string {
  return `Secret not found for key: '${key}'. Set it with: ${secretCommand(key)}`;
}
