import { present } from '../asl/present.ts';
import type { Diagnostic, DiagnosticCode, Severity, Span } from './diagnostic.ts';

/** The most diagnostics of one severity. Nobody reads more, and a file that is no workflow at all would give one for each line. */
const MAX_DIAGNOSTICS = 1000;

/** Collects diagnostics of one pass, in the order found. */
export class Report {
  readonly diagnostics: Diagnostic[] = [];
  readonly #counts = { error: 0, warning: 0 };

  error(code: DiagnosticCode, span: Span | undefined, message: string, ...notes: (string | undefined)[]): void {
    this.#add('error', code, span, message, notes);
  }

  warning(code: DiagnosticCode, span: Span | undefined, message: string, ...notes: (string | undefined)[]): void {
    this.#add('warning', code, span, message, notes);
  }

  #add(
    severity: Severity,
    code: DiagnosticCode,
    span: Span | undefined,
    message: string,
    notes: (string | undefined)[],
  ): void {
    if (++this.#counts[severity] > MAX_DIAGNOSTICS) return;
    const kept = notes.filter((note) => note !== undefined).map((note) => cut(note, 4000));
    this.diagnostics.push({ code, severity, message: cut(message, 500), notes: kept, ...present({ span }) });
  }
}

/** A name or a value in a message may be a megabyte. */
function cut(text: string, max: number): string {
  return text.length > max ? `${text.slice(0, max)}…` : text;
}

export function hasErrors(diagnostics: readonly Diagnostic[]): boolean {
  return diagnostics.some((diagnostic) => diagnostic.severity === 'error');
}

/** Sorts by file and place. The same fault is kept once, even if a file is included or called several times. */
export function sortDiagnostics(diagnostics: readonly Diagnostic[]): Diagnostic[] {
  const seen = new Map<string, Diagnostic>();
  for (const diagnostic of diagnostics) {
    const { span } = diagnostic;
    const id = `${diagnostic.code} ${span?.file} ${span?.start} ${span?.end} ${diagnostic.message}`;
    if (!seen.has(id)) seen.set(id, diagnostic);
  }
  const file = (diagnostic: Diagnostic) => diagnostic.span?.file ?? '';
  return [...seen.values()].sort(
    (a, b) => (file(a) < file(b) ? -1 : file(a) > file(b) ? 1 : 0) || (a.span?.start ?? 0) - (b.span?.start ?? 0),
  );
}
