import { badInput, ERRORS, TrowelError } from '../../contract/errors.ts';
import { mountedKey } from '../../contract/secret-keys.ts';
import type { Asked } from '../../expression/marks.ts';
import { Masker, seen } from '../../expression/mask.ts';
import type { Mapping } from '../../language/workflow.ts';

export interface SecretServices {
  /**
   * The secret of that name, after `_secrets` renamed it (`remount` does); undefined if there is none.
   * @param shown messages may show it
   */
  secret(key: string, mounts: Mapping, shown?: boolean): Promise<string | undefined>;
  /** The message for a missing one; it should hold the command that sets it. */
  missingSecret?(key: string): string;
  /** Whether an expression may name the secret, whose key has been renamed already. Default: any. */
  computable?(key: string): boolean;
}

/** Looks secrets up for one task, and remembers them so that no message shows one. */
export class Secrets {
  readonly #masker = new Masker();
  readonly #found = new Set<string>();
  readonly #services: SecretServices;
  readonly #mounts: Mapping;
  readonly #computed: boolean;

  /** @param computed an expression is in `mounts`, so that data may have chosen what they rename a key to */
  constructor(services: SecretServices, mounts: Mapping, computed = false) {
    this.#services = services;
    this.#mounts = mounts;
    this.#computed = computed;
  }

  /** Keys, as stored, of the secrets that were found. */
  get used(): readonly string[] {
    return [...this.#found];
  }

  async optional(key: string): Promise<string | undefined> {
    const value = await this.#find(key, {});
    if (value !== undefined) this.hide(value);
    return value;
  }

  /** A secret that is an address or a switch rather than a credential: messages may show it. */
  async shown(key: string): Promise<string | undefined> {
    return this.#find(key, { shown: true });
  }

  async required(key: string): Promise<string> {
    return this.asked({ key, computed: false });
  }

  /** One that a template asks for. */
  async asked({ key, computed }: Asked): Promise<string> {
    const value = await this.#find(key, { computed });
    if (value === undefined) {
      const message = this.#services.missingSecret?.(remount(key, this.#mounts));
      throw new TrowelError(ERRORS.secret, message ?? `Secret not found for key: '${key}'`);
    }
    this.hide(value);
    return value;
  }

  async #find(key: string, { computed = false, shown = false }): Promise<string | undefined> {
    const stored = remount(key, this.#mounts);
    const chosen = computed || (this.#computed && stored !== key);
    if (chosen && this.#services.computable?.(stored) === false)
      throw new TrowelError(ERRORS.secret, notListed(stored));
    const value = await this.#services.secret(key, this.#mounts, shown);
    if (value !== undefined) this.#found.add(stored);
    return value;
  }

  /** Also hides what is made from secrets, e.g. the value of a header. */
  hide(value: string): void {
    this.#masker.add(value);
    seen.add(value);
  }

  /** The text with every secret seen so far as `***`. */
  redact(text: string): string {
    return this.#masker.mask(text);
  }
}

/** For a key that an expression made, deployed. */
export function notListed(key: string): string {
  return `The secret '${key}' is named by an expression: deployed, only those under \`secrets:\` of trowel.yml can be. Add it there, and deploy`;
}

/** `mountedKey`, which throws Trowel.BadInput for a value of `_secrets` that means nothing. */
export function remount(key: string, mounts: Mapping): string {
  return mountedKey(key, mounts, (node) => {
    throw badInput(`Illegal value in _secrets: ${JSON.stringify(node)}`);
  });
}
