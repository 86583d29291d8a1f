import { decode, escapedKey, exactText, isKept, isLeaf } from '../language/value-form.ts';
import type { Mapping, Value } from '../language/workflow.ts';

/** A script that only reads a stored value, such as `a.b[0]['c']`: its root name and the keys below it. */
export type Path = readonly [string, ...(string | number)[]];

const ROOT = /^\s*([A-Za-z_$][\w$]*)/;
const STEP = /^\s*(?:\.\s*([A-Za-z_$][\w$]*)|\[\s*(?:(\d{1,9})|'([^'\\\n\r]*)'|"([^"\\\n\r]*)")\s*\])/;

/** Words that are never a variable's name in an expression, or that digdag's own template function defines. */
const NOT_NAMES = new Set(
  (
    'break case catch class const continue debugger default delete do else enum export extends false finally for function if import in ' +
    'instanceof new null return super switch this throw true try typeof var void while with yield let static await arguments eval print'
  ).split(' '),
);

/** The path that a script is, or undefined: then only the sandbox knows what it means. */
export function parsePath(script: string): Path | undefined {
  const root = ROOT.exec(script);
  const name = root?.[1];
  if (root === null || name === undefined || NOT_NAMES.has(name) || name.startsWith('__')) return undefined;
  const path: [string, ...(string | number)[]] = [name];
  let rest = script.slice(root[0].length);
  while (rest.trim() !== '') {
    const step = STEP.exec(rest);
    if (step === null) return undefined;
    const key = step[2] === undefined ? (step[1] ?? step[3] ?? step[4] ?? '') : Number(step[2]);
    path.push(key);
    rest = rest.slice(step[0].length);
  }
  return path;
}

/**
 * The value at a path, in wire form. Undefined if JavaScript would need more than own properties of plain data (a prototype, an error):
 * then the sandbox decides. `rest`: the keys that are left if the path leads into a value that is in a file.
 */
export function lookUp(
  path: Path,
  root: Value | undefined,
): { readonly value: Value; readonly rest: number } | undefined {
  let value = root;
  const keys = path.slice(1);
  for (const [at, key] of keys.entries()) {
    if (isKept(value)) return { value, rest: keys.length - at };
    if (isLeaf(value)) value = decode(value);
    if (typeof value === 'string') {
      if (key !== 'length') return undefined;
      value = value.length;
    } else if (typeof value === 'object' && value !== null && Object.hasOwn(value, escapedKey(String(key)))) {
      value = (value as Mapping)[escapedKey(String(key))];
    } else {
      return undefined;
    }
  }
  return value === undefined ? undefined : { value, rest: 0 };
}

/** How `${…}` shows a value: always as text; integers with all their digits. */
export function textOf(value: Value): string {
  if (value === null) return '';
  if (isLeaf(value)) return value.text;
  return typeof value === 'string' ? value : exactText(value);
}
