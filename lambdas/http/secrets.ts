import { ERRORS } from '../../lib/expression/wire.ts';
import type { Mapping, Value } from '../../lib/language/workflow.ts';
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

/**
 * The key under which a secret is kept when `_secrets` renames it: `{pg: {password: 'my.key'}}` makes `my.key` of `pg.password`, and
 * `{pg: 'other'}` makes `other.password` of it (digdag, DefaultSecretProvider). `true` is digdag's old grant and changes nothing.
 */
export function remount(key: string, mounts: Mapping): string {
  const segments = key.split('.');
  let scope: Value = mounts;
  for (const [i, segment] of segments.entries()) {
    const node: Value | undefined = Object.hasOwn(scope, segment) ? scope[segment] : undefined;
    if (node === undefined || node === true) return key;
    if (typeof node === 'string') return [node, ...segments.slice(i + 1)].join('.');
    if (node === null || typeof node !== 'object' || Array.isArray(node)) {
      throw badInput(`Illegal value in _secrets: ${JSON.stringify(node)}`);
    }
    scope = node;
  }
  return key;
}
