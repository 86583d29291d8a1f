/**
 * A JSON list kept as bytes. Elements are parsed one at a time, because the values of a long list take several times the memory of its
 * bytes.
 */
import type { Value } from '../language/workflow.ts';

export interface List {
  readonly length: number;
  at(index: number): Value;
}

/** Bytes of JSON's syntax. */
const [QUOTE, BACKSLASH, COMMA, OPEN, CLOSE, BEGIN, END] = [...Buffer.from('"\\,[]{}')] as [
  number,
  number,
  number,
  number,
  number,
  number,
  number,
];

/** Undefined for JSON that is no list. The text is not checked to be valid JSON, since Trowel wrote it. */
export function jsonList(json: Buffer): List | undefined {
  if (json[skipSpace(json, 0)] !== OPEN) return undefined;
  const starts: number[] = [];
  const ends: number[] = [];
  let depth = 0;
  for (let at = 0; at < json.length; at += 1) {
    const byte = json[at];
    if (byte === QUOTE) {
      at = endOfText(json, at);
    } else if (byte === OPEN || byte === BEGIN) {
      depth += 1;
      if (depth === 1) starts.push(at + 1);
    } else if (byte === CLOSE || byte === END) {
      if (depth === 1) ends.push(at);
      depth -= 1;
    } else if (byte === COMMA && depth === 1) {
      ends.push(at);
      starts.push(at + 1);
    }
  }
  const [start = 0] = starts;
  const empty = ends.length === 1 && json[skipSpace(json, start)] === CLOSE;
  return {
    length: empty ? 0 : ends.length,
    at: (index) => JSON.parse(json.toString('utf8', starts[index], ends[index])) as Value,
  };
}

function skipSpace(json: Buffer, from: number): number {
  let at = from;
  while (' \n\r\t'.includes(String.fromCharCode(json[at] ?? 0))) at += 1;
  return at;
}

/** Place of the quote that ends the text which begins at `from`. */
function endOfText(json: Buffer, from: number): number {
  let end = json.indexOf(QUOTE, from + 1);
  while (end >= 0) {
    let slashes = 0;
    while (json[end - 1 - slashes] === BACKSLASH) slashes += 1;
    if (slashes % 2 === 0) return end;
    end = json.indexOf(QUOTE, end + 1);
  }
  return json.length;
}
