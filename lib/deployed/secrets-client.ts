import {
  CreateSecretCommand,
  DeleteSecretCommand,
  DescribeSecretCommand,
  ListSecretsCommand,
  PutSecretValueCommand,
  RestoreSecretCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { asking, isAbsent } from './aws-fault.ts';
import { type Connection, clientOptions } from './connection.ts';
import type { SecretsManager } from './secrets.ts';

export function connectSecrets(connection: Connection): SecretsManager {
  return new SecretsClient(new SecretsManagerClient(clientOptions(connection)));
}

class SecretsClient implements SecretsManager {
  readonly #client: SecretsManagerClient;

  constructor(client: SecretsManagerClient) {
    this.#client = client;
  }

  async state(SecretId: string): Promise<'there' | 'deleted' | undefined> {
    try {
      const { DeletedDate } = await asking('secretsmanager:DescribeSecret', () =>
        this.#client.send(new DescribeSecretCommand({ SecretId })),
      );
      return DeletedDate === undefined ? 'there' : 'deleted';
    } catch (error) {
      if (isAbsent(error)) return undefined;
      throw error;
    }
  }

  async names(prefix: string): Promise<readonly string[]> {
    const names: string[] = [];
    let NextToken: string | undefined;
    do {
      const request = { Filters: [{ Key: 'name' as const, Values: [prefix] }], MaxResults: 100, NextToken };
      const page = await asking('secretsmanager:ListSecrets', () => this.#client.send(new ListSecretsCommand(request)));
      // The filter is not case-sensitive.
      names.push(...(page.SecretList ?? []).flatMap(({ Name }) => (Name?.startsWith(prefix) ? [Name] : [])));
      NextToken = page.NextToken;
    } while (NextToken !== undefined);
    return names;
  }

  async create(Name: string, SecretString: string, tags: { readonly [key: string]: string }): Promise<void> {
    const Tags = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
    await asking('secretsmanager:CreateSecret', () =>
      this.#client.send(new CreateSecretCommand({ Name, SecretString, Tags })),
    );
  }

  async put(SecretId: string, SecretString: string): Promise<void> {
    await asking('secretsmanager:PutSecretValue', () =>
      this.#client.send(new PutSecretValueCommand({ SecretId, SecretString })),
    );
  }

  async restore(SecretId: string): Promise<void> {
    await asking('secretsmanager:RestoreSecret', () => this.#client.send(new RestoreSecretCommand({ SecretId })));
  }

  async delete(SecretId: string, RecoveryWindowInDays: number): Promise<void> {
    await asking('secretsmanager:DeleteSecret', () =>
      this.#client.send(new DeleteSecretCommand({ SecretId, RecoveryWindowInDays })),
    );
  }
}
