import { createHmac, randomBytes } from 'node:crypto';
import { Masker, seen } from '../../expression/mask.ts';
import type { Attempt } from '../history/attempt.ts';
import { secretsUsed } from '../history/attempts.ts';
import type { SecretStore } from '../secrets.ts';

/** What a run has read of secrets: it hides their values from then on, and its attempt remembers their keys (never the values). */
export class RunSecrets {
  readonly masker = new Masker();
  readonly #store: Pick<SecretStore, 'get'>;
  readonly #attempt: Attempt;

  constructor(store: Pick<SecretStore, 'get'>, attempt: Attempt) {
    this.#store = store;
    this.#attempt = attempt;
  }

  /** What these attempts have read may be in what they stored, although nothing reads it again. */
  async hideThoseOf(attempts: readonly string[]): Promise<void> {
    for (const key of new Set(attempts.flatMap(secretsUsed))) await this.get(key);
  }

  /** @param shown an address or a switch, which messages may show */
  async get(key: string, shown = false): Promise<string | undefined> {
    const value = await this.#store.get(key);
    if (value !== undefined && !shown) {
      this.masker.add(value);
      seen.add(value);
      this.#attempt.noteSecret(key);
    }
    return value;
  }

  /**
   * A salted hash of the present value, by which a resumed attempt sees that it has changed; undefined if there is none. `like`: one of an
   * earlier attempt, whose salt is taken.
   */
  async version(key: string, like?: string): Promise<string | undefined> {
    const value = await this.get(key);
    return value === undefined ? undefined : versionOf(value, like);
  }
}

export function versionOf(value: string, like?: string): string {
  const salt = like?.split('.')[0] ?? randomBytes(16).toString('hex');
  return `${salt}.${createHmac('sha256', salt).update(value).digest('hex')}`;
}
