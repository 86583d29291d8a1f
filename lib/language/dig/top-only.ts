import type { Report } from '../report.ts';
import type { Entry } from '../yaml/tree.ts';

/** Allowed on a group by digdag, read nowhere but at the top of a file. */
export const TOP_ONLY: readonly string[] = ['timezone', 'schedule', 'sla'];

/** A file that is also a workflow of its own may say `timezone:`; it is the place that includes it where that has no effect. */
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
