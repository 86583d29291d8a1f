/** Where diagnostics go: as text to standard error, in the forms for programs to standard output. Files are named relative to the user's current folder. */

import { posix } from 'node:path';
import { present } from '../../asl/present.ts';
import type { Diagnostic } from '../../language/diagnostic.ts';
import type { Place } from '../../language/find-project.ts';
import type { Project } from '../../language/project.ts';
import type { Terminal } from '../terminal.ts';
import { renderCount, renderGithub, renderJson, renderText, type Sources } from './diagnostics.ts';

export type DiagnosticFormat = 'text' | 'json' | 'github';

type Texts = Pick<Project, 'sources'>;

export async function reportDiagnostics(
  { stderr }: Terminal,
  project: Texts,
  place: Place,
  diagnostics: readonly Diagnostic[],
): Promise<void> {
  if (diagnostics.length === 0) return;
  const { red, yellow, bold, dim } = stderr.colors;
  const [named, sources] = fromHere(diagnostics, project.sources, place);
  const palette = { error: red, warning: yellow, strong: bold, faint: dim };
  const text = renderText(named, sources, {
    palette,
    ...present({ width: stderr.isTerminal ? stderr.columns : undefined }),
  });
  await stderr.write(`${text}\n${renderCount(diagnostics)}\n`);
}

export async function printDiagnostics(
  { stdout }: Terminal,
  project: Texts,
  place: Place,
  diagnostics: readonly Diagnostic[],
  format: Exclude<DiagnosticFormat, 'text'>,
): Promise<void> {
  const render = format === 'json' ? renderJson : renderGithub;
  await stdout.write(render(...fromHere(diagnostics, project.sources, place)));
}

function fromHere(
  diagnostics: readonly Diagnostic[],
  sources: Sources,
  { shown }: Place,
): [readonly Diagnostic[], Sources] {
  if (shown === '') return [diagnostics, sources];
  const named = (file: string) => posix.join(shown.replaceAll('\\', '/'), file);
  return [
    diagnostics.map((each) => (each.span ? { ...each, span: { ...each.span, file: named(each.span.file) } } : each)),
    new Map([...sources].map(([file, text]) => [named(file), text])),
  ];
}
