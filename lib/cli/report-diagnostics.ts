/** Where diagnostics go: as text to standard error, in the forms for programs to standard output. */
import type { Diagnostic } from '../language/diagnostic.ts';
import type { Project } from '../language/project.ts';
import type { CheckFormat } from './check.ts';
import { lineFinder } from './compile-project.ts';
import type { Place } from './find-project.ts';
import type { Terminal } from './terminal.ts';

export async function reportDiagnostics(
  terminal: Terminal,
  project: Pick<Project, 'sources'>,
  place: Place,
  diagnostics: readonly Diagnostic[],
): Promise<void> {
  const line = lineFinder(project.sources);
  for (const each of diagnostics) {
    const at = each.span === undefined ? '' : `${place.shown}/${each.span.file}:${line(each.span)}: `;
    const notes = each.notes.map((note) => `  ${note}\n`).join('');
    await terminal.stderr.write(`${at}${each.severity}[${each.code}]: ${each.message}\n${notes}`);
  }
}

export async function printDiagnostics(
  terminal: Terminal,
  _project: Pick<Project, 'sources'>,
  _place: Place,
  diagnostics: readonly Diagnostic[],
  _format: Exclude<CheckFormat, 'text'>,
): Promise<void> {
  await terminal.stdout.write(`${JSON.stringify({ diagnostics })}\n`);
}
