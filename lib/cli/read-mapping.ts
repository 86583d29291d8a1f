import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Report } from '../language/report.ts';
import type { Mapping } from '../language/workflow.ts';
import { toMapping } from '../language/yaml/tree.ts';
import { readTree } from '../language/yaml/yaml.ts';
import { CliError, EXIT, type ExitCode } from './exit-codes.ts';
import { positionOf } from './render/diagnostics.ts';

/**
 * A YAML or JSON file of `key: value`, with digdag's typing, as values travel (value-form.ts); `-` is standard input. Throws a CliError with the place of the first fault.
 * @param file as the user or trowel.yml names it, relative to `folder`
 */
export async function readMapping(folder: string, file: string, exitCode: ExitCode = EXIT.usage): Promise<Mapping> {
  const text = await readText(folder, file, exitCode);
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
  throw new CliError(exitCode, `${file}:${line}:${column}: ${fault.message}`, fault.notes);
}

export async function readText(folder: string, file: string, exitCode: ExitCode = EXIT.usage): Promise<string> {
  if (file === '-') return readStdin();
  return readFile(resolve(folder, file), 'utf8').catch((error: NodeJS.ErrnoException) => {
    const why = error.code === 'ENOENT' ? 'no such file' : error.message;
    throw new CliError(exitCode, `cannot read ${file}: ${why}`);
  });
}

export async function readStdin(): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString('utf8');
}
