import { ERRORS, TrowelError } from './errors.ts';
import { PROTOCOL } from './payload.ts';

/**
 * An execution that began before a deploy sends payloads of the version it was compiled for: a function accepts every version up to its
 * own. Throws Trowel.BadInput if the event is no payload, or is of a later version (after a deploy was rolled back).
 */
export function checkVersion(event: unknown): void {
  const version = (event as { readonly v?: unknown } | null | undefined)?.v;
  if (typeof version === 'number' && Number.isInteger(version) && version >= 1 && version <= PROTOCOL) return;
  const wanted = `Expected a payload of protocol version 1 to ${PROTOCOL}, got ${JSON.stringify(version) ?? 'none'}`;
  const why =
    Number(version) > PROTOCOL ? ': a later version of Trowel compiled the workflow, deploy with that one again' : '';
  throw new TrowelError(ERRORS.badInput, wanted + why);
}
