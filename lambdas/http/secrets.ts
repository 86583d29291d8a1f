import { ERRORS } from '../../lib/expression/wire.ts';
import type { Mapping } from '../../lib/language/workflow.ts';
import { mountedKey } from '../launch/secret-keys.ts';
import { badInput, Failed } from './failure.ts';

export interface SecretServices {
  /** The secret of that name, after `_secrets` renamed it (`remount` does); undefined if there is none. */
  secret(key: string, mounts: Mapping): Promise<string | undefined>;
  /** The message for a missing one; it should hold the command that sets it. */
  missingSecret?(key: string): string;
}

/** Looks secrets up for one task, and remembers them so that no message shows one. */
export class Secrets {
  private readonly used = new Set<string>();
  private readonly services: SecretServices;
  private readonly mounts: Mapping;

  constructor(services: SecretServices, mounts: Mapping) {
    this.services = services;
    this.mounts = mounts;
  }

  async optional(key: string): Promise<string | undefined> {
    const value = await this.services.secret(key, this.mounts);
    if (value !== undefined) this.hide(value);
    return value;
  }

  /** A secret that is an address or a switch rather than a credential: messages may show it. */
  async shown(key: string): Promise<string | undefined> {
    return this.services.secret(key, this.mounts);
  }

  async required(key: string): Promise<string> {
    const value = await this.optional(key);
    if (value === undefined) {
      const message = this.services.missingSecret?.(remount(key, this.mounts));
      throw new Failed(ERRORS.secret, message ?? `Secret not found for key: '${key}'`);
    }
    return value;
  }

  /** Also hides what is made from secrets, e.g. the value of a header. */
  hide(value: string): void {
    for (const form of [value, encodeURIComponent(value), JSON.stringify(value).slice(1, -1)]) this.used.add(form);
    this.used.add(new URLSearchParams({ '': value }).toString().slice(1));
  }

  /** The text with every secret seen so far as `***`. */
  redact(text: string): string {
    let redacted = text;
    for (const value of [...this.used].sort((a, b) => b.length - a.length)) {
      if (value !== '') redacted = redacted.replaceAll(value, '***');
    }
    return redacted;
  }
}

/** `mountedKey`, which throws Trowel.BadInput for a value of `_secrets` that means nothing. */
export function remount(key: string, mounts: Mapping): string {
  return mountedKey(key, mounts, (node) => {
    throw badInput(`Illegal value in _secrets: ${JSON.stringify(node)}`);
  });
}
