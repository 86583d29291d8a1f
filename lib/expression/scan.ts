/**
 * Cuts the text of one scalar into literal text and `${…}` expressions, exactly as digdag's template function does
 * (digdag-core/resources/…/agent/digdag.js, "extended syntax").
 */
export type Part =
  | { readonly kind: 'text'; readonly text: string }
  /** `start` and `end`: UTF-16 offsets of the script in the scalar's text (without `${` and `}`). */
  | { readonly kind: 'expression'; readonly script: string; readonly start: number; readonly end: number };

/** `${word:…}` belongs to the operator (`${secret:key}`). */
const OPENING = /\$\{(?![a-z]+:)[\s\S]/g;

/**
 * Never fails. `$$` in text becomes `$` (so `$${a}` is a dollar sign and the value of a); an unclosed `${` and all that follows
 * it is text; an empty `${}` is nothing. Braces count everywhere in a script, also inside JavaScript strings.
 */
export function scan(text: string): Part[] {
  const parts: Part[] = [];
  const addText = (raw: string) => {
    if (raw !== '') parts.push({ kind: 'text', text: raw.replaceAll('$$', () => '$') });
  };
  let position = 0;
  while (position < text.length) {
    OPENING.lastIndex = position;
    const opening = OPENING.exec(text);
    if (opening === null) break;
    const start = opening.index + 2;
    const end = closingBrace(text, start);
    if (end === -1) break;
    addText(text.slice(position, opening.index));
    if (end > start) parts.push({ kind: 'expression', script: text.slice(start, end), start, end });
    position = end + 1;
  }
  const rest = text.slice(position);
  const unclosed = rest.search(OPENING_ONCE);
  if (unclosed === -1) {
    addText(rest);
  } else {
    // digdag replaces `$$` on either side of the unclosed brace separately: `$${v` keeps its first dollar sign.
    addText(rest.slice(0, unclosed));
    addText(rest.slice(unclosed));
  }
  return parts;
}

const OPENING_ONCE = new RegExp(OPENING.source);

/** Whether digdag would evaluate the text at all. */
export function isTemplate(text: string): boolean {
  return text.includes('$');
}

function closingBrace(text: string, from: number): number {
  let depth = 0;
  for (let i = from; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === 0x7b) depth++;
    else if (c === 0x7d && --depth === -1) return i;
  }
  return -1;
}
