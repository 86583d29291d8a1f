/** JSON; all rooms use this type. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/**
 * Whether a value has keys: an object, not a list. (isMergeable in lib/language/value-form.ts answers whether it merges with another
 * mapping.)
 */
export function isMapping(value: unknown): value is { readonly [key: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
