import type { Report } from '../report.ts';
import type { Entry } from '../yaml/tree.ts';

/** Keys that digdag allows on a group but reads only at the top of a file. */
export const TOP_ONLY: readonly string[] = ['timezone', 'schedule', 'sla'];

/**
 * Reports a key that has no effect. For an included file the report is at the include, since the file may also be a workflow of its own, in
 * which `timezone:` is right.
 */
export function reportTopOnly(name: string, { key, keySpan, included }: Entry, report: Report): void {
  if (included === undefined) {
    report.warning('unused-key', keySpan, `'${key}' on a group has no effect`, 'It belongs at the top of the file.');
    return;
  }
  const { span, path } = included;
  report.warning(
    'unused-key',
    span,
    `'${path}' is included in ${name}, where its '${key}' has no effect`,
    `A workflow has one ${key}, at the top of its own file.`,
  );
}
