import { TrowelError } from '../../lib/expression/failure.ts';
import { ERRORS, PROTOCOL } from '../../lib/expression/wire.ts';

/**
 * An execution that began before a deploy sends payloads of the version it was compiled for: a function takes every version up to
 * its own. Throws Trowel.BadInput for what is no payload, or one of a later version (a deploy that was rolled back).
 */
export function checkVersion(event: unknown): void {
  const version = (event as { readonly v?: unknown } | null | undefined)?.v;
  if (typeof version === 'number' && Number.isInteger(version) && version >= 1 && version <= PROTOCOL) return;
  const message = `Expected a payload of protocol version 1 to ${PROTOCOL}, got ${JSON.stringify(version) ?? 'none'}`;
  throw new TrowelError(ERRORS.badInput, message);
}
