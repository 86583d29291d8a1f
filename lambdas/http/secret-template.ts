/**
 * `${secret:key}` in what http> and slack> send.
 *
 * The renderer leaves `${secret:…}` as it is, so that afterwards text of the workflow and text that came in as data (an error
 * message, a stored value) look alike. Only the workflow's may be filled in: whoever controls data could otherwise ask for any
 * secret. So each one is marked in the templates, before rendering, with a word that nobody can guess; data has no marks.
 */
import { randomBytes } from 'node:crypto';
import type { Layer } from '../../lib/expression/wire.ts';
import type { Value } from '../../lib/language/workflow.ts';
import { badInput } from './failure.ts';

export interface SecretTemplates {
  /** Marks the templates of a task's keys. */
  readonly mark: <T extends Value>(template: T) => T;
  /** Marks those of its `_export` layers; the others are data. */
  readonly markLayers: (layers: readonly Layer[]) => Layer[];
  readonly has: (text: string) => boolean;
  /** Puts secrets in place of marks, at any depth, in keys of objects too. `lookup` throws for a missing one. */
  readonly fill: <T extends Value>(rendered: T, lookup: (key: string) => Promise<string>) => Promise<T>;
  /** Turns marks back into the text that the author wrote, for messages and for fields that take no secrets. */
  readonly unmark: <T extends Value>(rendered: T) => T;
}

export function secretTemplates(): SecretTemplates {
  const word = randomBytes(12).toString('hex');
  const open = `@${word}<`;
  const close = `@${word}>`;
  const marked = new RegExp(`${open}([a-z]+):([^]*?)${close}`, 'g');

  const markText = (text: string): string => {
    const start = text.search(/\$\{[a-z]+:/);
    if (start < 0) return text;
    const end = closingBrace(text, start + 2);
    if (end < 0) return text;
    return `${text.slice(0, start)}${open}${markText(text.slice(start + 2, end))}${close}${markText(text.slice(end + 1))}`;
  };
  const mark = <T extends Value>(template: T): T => mapTexts(template, markText);

  return {
    mark,
    markLayers: (layers) =>
      layers.map((layer) => (Array.isArray(layer) && layer.length === 1 ? [mark(layer[0])] : layer)),
    has: (text) => text.includes(open),
    fill: async (rendered, lookup) => {
      const keys = new Set<string>();
      mapTexts(rendered, (text) => {
        for (const [, kind, key] of text.matchAll(marked)) {
          if (kind !== 'secret') throw badInput(`Invalid parametrization: '\${${kind}:${key}}'`);
          keys.add((key ?? '').trim());
        }
        return text;
      });
      const values = new Map<string, string>();
      for (const key of keys) values.set(key, await lookup(key));
      return mapTexts(rendered, (text) =>
        text.replaceAll(marked, (_all, _kind: string, key: string) => values.get(key.trim()) ?? ''),
      );
    },
    unmark: (rendered) => mapTexts(rendered, (text) => text.replaceAll(open, '${').replaceAll(close, '}')),
  };
}

function closingBrace(text: string, from: number): number {
  let depth = 1;
  for (let i = from; i < text.length; i++) {
    if (text[i] === '{') depth++;
    else if (text[i] === '}' && --depth === 0) return i;
  }
  return -1;
}

function mapTexts<T extends Value>(value: T, change: (text: string) => string): T {
  const walk = (part: Value): Value => {
    if (typeof part === 'string') return change(part);
    if (Array.isArray(part)) return part.map(walk);
    if (part === null || typeof part !== 'object') return part;
    return Object.fromEntries(Object.entries(part).map(([key, inner]) => [change(key), walk(inner)]));
  };
  return walk(value) as T;
}
