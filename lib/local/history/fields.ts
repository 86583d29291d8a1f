/** Fields that a reader of the history relies on: the file may be damaged, or from another version. */
export type Fields = { readonly [field: string]: 'string' | 'number' | 'object' };

export function hasFields<T>(value: unknown, fields: Fields): value is T {
  if (typeof value !== 'object' || value === null) return false;
  const given = value as { readonly [field: string]: unknown };
  return Object.entries(fields).every(([name, type]) => typeof given[name] === type && given[name] !== null);
}
