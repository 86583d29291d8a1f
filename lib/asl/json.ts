/** JSON, as all folders above have it. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** Whether it has keys: an object, and no list. (What merges with another mapping is isMergeable of lib/language/value-form.ts.) */
export function isMapping(value: unknown): value is { readonly [key: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
