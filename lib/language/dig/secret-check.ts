import type { Diagnostic } from '../diagnostic.ts';
import { OPERATORS, operatorSpec } from '../operators.ts';
import { Report } from '../report.ts';
import { locate, templatesOf } from '../templates.ts';
import { walk } from '../walk.ts';
import type { Node, Workflow } from '../workflow.ts';

/** Objects of an `_export` from which operators take defaults; secrets in them are replaced too. */
const DEFAULTS = new Set(Object.values(OPERATORS).flatMap(({ defaults }) => defaults ?? []));

/** Reports `${secret:KEY}` where nothing replaces it: the text itself would be passed on, which is hardly ever meant. */
export function checkSecrets(workflow: Workflow, sources: ReadonlyMap<string, string>): readonly Diagnostic[] {
  const report = new Report();
  for (const top of [workflow.root, workflow.sla?.body]) {
    if (!top) continue;
    for (const node of walk(top)) checkNode(node, sources, report);
  }
  return report.diagnostics;
}

function checkNode(node: Node, sources: ReadonlyMap<string, string>, report: Report): void {
  for (const template of templatesOf(node)) {
    const [expression, key = ''] = /\$\{\s*secret:([^}]*)\}/.exec(template.text) ?? [];
    if (expression === undefined || isReplaced(node, template.path)) continue;
    const span = locate(sources.get(template.span.file), template, expression);
    const name = key
      .trim()
      .replace(/[^a-zA-Z0-9]+/g, '_')
      .toUpperCase();
    report.warning(
      'secret-not-here',
      span,
      `${expression} stays as written here: it is replaced only in \`_env\`, in the text of sh> and in http>`,
      `Pass it as an environment variable: \`_env: {${name}: "${expression}"}\`.`,
    );
  }
}

/** Whether `${secret:…}` is filled in at this place of a node. */
export function isReplaced(node: Node, path: string): boolean {
  const [first = '', second = ''] = path.split('.');
  if (first === '_env') return true;
  if (first === '_export') return DEFAULTS.has(second);
  if (node.kind === 'group') return false;
  const key = first === '_command' || first === `${node.operator}>` ? 'command' : first;
  const spec = operatorSpec(node.operator);
  return !spec || (spec.secrets?.includes(key) ?? false);
}
