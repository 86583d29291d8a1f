import type { Diagnostic } from '../language/diagnostic.ts';

/** A project that cannot be deployed as it is written. The command line shows its diagnostics with their source lines. */
export class ProjectError extends Error {
  /** The project's folder, absolute. */
  readonly dir: string;
  readonly diagnostics: readonly Diagnostic[];
  /** Texts by file. */
  readonly sources: ReadonlyMap<string, string>;

  constructor(dir: string, diagnostics: readonly Diagnostic[], sources: ReadonlyMap<string, string>) {
    super(diagnostics.map((each) => plain(each, sources)).join('\n'));
    this.name = 'ProjectError';
    this.dir = dir;
    this.diagnostics = diagnostics;
    this.sources = sources;
  }
}

function plain({ code, severity, message, span, notes }: Diagnostic, sources: ReadonlyMap<string, string>): string {
  const line = span && sources.get(span.file)?.slice(0, span.start).split('\n').length;
  const place = span === undefined ? '' : `${span.file}${line === undefined ? '' : `:${line}`} `;
  return [`${place}${severity} ${code}: ${message}`, ...notes.map((note) => `  = ${note}`)].join('\n');
}
