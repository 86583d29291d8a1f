/** A project's secrets in AWS Secrets Manager, one a key. Values go there and never come back. */
import { secretPrefix } from '../contract/deployed-names.ts';

/** The questions to Secrets Manager, by the secrets' whole names; secrets-client.ts answers them. */
export interface SecretsManager {
  /** `undefined`: there is none. `deleted`: it was deleted and can be brought back. */
  state(name: string): Promise<'there' | 'deleted' | undefined>;
  /** Names that begin so; those being deleted are not among them. */
  names(prefix: string): Promise<readonly string[]>;
  create(name: string, value: string, tags: { readonly [key: string]: string }): Promise<void>;
  put(name: string, value: string): Promise<void>;
  restore(name: string): Promise<void>;
  delete(name: string, days: number): Promise<void>;
}

/** Days in which a deleted secret can be brought back: the service's fewest. */
export const RECOVERY_DAYS = 7;
/** Bytes; the service's limit. */
const LARGEST = 65_536;

export class ProjectSecrets {
  readonly #manager: SecretsManager;
  readonly #prefix: string;
  readonly #tags: { readonly [key: string]: string };

  constructor(manager: SecretsManager, project: string, tags: { readonly [key: string]: string } = {}) {
    this.#manager = manager;
    this.#prefix = secretPrefix(project);
    this.#tags = tags;
  }

  /** Sorted keys. */
  async list(): Promise<readonly string[]> {
    const names = await this.#manager.names(this.#prefix);
    return names.map((name) => name.slice(this.#prefix.length)).sort();
  }

  async set(key: string, value: string): Promise<void> {
    const name = this.#prefix + key;
    const state = await this.#manager.state(name);
    if (state === undefined) return this.#manager.create(name, value, this.#tags);
    if (state === 'deleted') await this.#manager.restore(name);
    await this.#manager.put(name, value);
  }

  /** Resolves to whether it was there. */
  async delete(key: string): Promise<boolean> {
    const name = this.#prefix + key;
    if ((await this.#manager.state(name)) !== 'there') return false;
    await this.#manager.delete(name, RECOVERY_DAYS);
    return true;
  }

  /** Those of the keys that are not set. */
  async missing(keys: readonly string[]): Promise<readonly string[]> {
    const missing: string[] = [];
    for (const key of keys) if ((await this.#manager.state(this.#prefix + key)) !== 'there') missing.push(key);
    return missing;
  }
}

/** The reason why Secrets Manager will not take a secret, or undefined. The value is not in the text. */
export function secretFault(key: string, value: string): string | undefined {
  const [sign] = /[^A-Za-z0-9/_+=.@-]/.exec(key) ?? [];
  if (sign !== undefined)
    return `the name of a secret on AWS has only letters, digits and / _ + = . @ -, not '${sign}': ${key}`;
  // ECS names secrets without the six random characters that end their ARNs, and such a name looks as if it had them.
  if (/-[A-Za-z0-9]{6}$/.test(key))
    return `the name of a secret on AWS must not end in - and six letters or digits: ${key}`;
  if (value === '') return `the value of ${key} is empty, which Secrets Manager does not take`;
  if (Buffer.byteLength(value) > LARGEST) return `the value of ${key} is larger than ${LARGEST / 1024} KiB`;
  return undefined;
}
