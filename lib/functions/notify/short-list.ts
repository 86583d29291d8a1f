const SHOWN = 3;

/** `a, b, c and 2 more`; undefined for none. */
export function shortList(names: readonly string[]): string | undefined {
  if (names.length === 0) return undefined;
  const more = names.length > SHOWN ? ` and ${names.length - SHOWN} more` : '';
  return names.slice(0, SHOWN).join(', ') + more;
}
