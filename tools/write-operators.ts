/**
 * What the Python side has of the operators' table: `node --import tsx tools/write-operators.ts` writes it, and a test holds the
 * file against this.
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { KINDS } from '../lib/language/operators/kinds.ts';
import { codeOf, OPERATORS } from '../lib/language/operators.ts';

export const PYTHON_FILE = new URL('../task-images/python/src/trowel_task/contract/operators.py', import.meta.url);

export function pythonOperators(): string {
  const own = Object.entries(OPERATORS).filter(([, { kind }]) => KINDS[kind].byRunner);
  const runs = own.map(([name, { kind }]) => [name, codeOf(name) ?? kind]);
  const defaults = own.flatMap(([name, spec]) => (spec.defaults === undefined ? [] : [[name, spec.defaults]]));
  return `"""The operators that the runner itself carries out. Written by tools/write-operators.ts, from lib/language/operators."""

from __future__ import annotations

# How it carries them out.
RUNS = ${dictionary(runs)}
# Names of parameters that hold defaults of an operator's options.
DEFAULTS = ${dictionary(defaults)}
`;
}

function dictionary(entries: readonly (readonly string[])[]): string {
  return `{${entries.map(([key, value]) => `"${key}": "${value}"`).join(', ')}}`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(PYTHON_FILE, pythonOperators());
