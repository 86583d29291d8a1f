/** YAML or JSON of `key: value`: files of parameters and of secrets. */
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { positionOf } from './position.ts';
import { Report } from './report.ts';
import { type FaultKind, RequestFault } from './request-fault.ts';
import type { Mapping } from './workflow.ts';
import { toMapping } from './yaml/tree.ts';
import { readTree } from './yaml/yaml.ts';

/**
 * The file's mapping with digdag's typing, in wire form (value-form.ts). Throws a RequestFault with the place of the first fault.
 * @param file its name, for messages
 */
export function parseMapping(file: string, text: string, kind: FaultKind = 'usage'): Mapping {
  const report = new Report();
  const tree = readTree(file, text, report);
  if (tree?.kind === 'map' && report.diagnostics.length === 0) return toMapping(tree);
  if (tree !== undefined && text.trim() === '') return {};
  const fault = report.diagnostics[0] ?? {
    message: 'Expected a mapping: lines of `key: value`, or a JSON object',
    span: { start: 0 },
    notes: [],
  };
  const { line, column } = positionOf(text, fault.span?.start ?? 0);
  throw new RequestFault(kind, `${file}:${line}:${column}: ${fault.message}`, fault.notes);
}

/** @param file as the user or trowel.yml names it, relative to `folder` */
export function readRequested(folder: string, file: string, kind: FaultKind = 'usage'): Promise<string> {
  return readFile(resolve(folder, file), 'utf8').catch((error: NodeJS.ErrnoException) => {
    const why = error.code === 'ENOENT' ? 'no such file' : error.message;
    throw new RequestFault(kind, `cannot read ${file}: ${why}`);
  });
}
