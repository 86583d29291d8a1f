/** Features of digdag's plugins that Trowel does not have: `_export: {plugin: …}`, and slack> as digdag-slack has it. */
import type { Diagnostic } from '../diagnostic.ts';
import { sends } from '../operators.ts';
import { Report } from '../report.ts';
import { walk } from '../walk.ts';
import type { Node, Task, Workflow } from '../workflow.ts';

/** A value that can only be the name of a file. */
const FILE = /^[\w./-]+\.(?:ya?ml|json|txt|md|tmpl|template|erb|j2)$/;

export function checkPlugins(workflow: Workflow, exists: (path: string) => boolean): readonly Diagnostic[] {
  const report = new Report();
  for (const top of [workflow.root, workflow.sla?.body]) {
    if (!top) continue;
    for (const node of walk(top)) {
      checkLoading(node, report);
      if (node.kind === 'task' && sends(node.operator) === 'slack') checkSlack(node, exists, report);
    }
  }
  return report.diagnostics;
}

function checkLoading(node: Node, report: Report): void {
  const plugin = node.directives.export?.plugin;
  if (plugin === null || typeof plugin !== 'object' || Array.isArray(plugin)) return;
  if (!('dependencies' in plugin) && !('repositories' in plugin)) return;
  report.warning(
    'unused-key',
    node.spans?.['_export.plugin:'] ?? node.span,
    '`plugin:` has no effect: Trowel has no plugins',
    'Remove it. Where one of its operators is used, the error there names what to use instead; slack> is part of Trowel.',
  );
}

function checkSlack(task: Task, exists: (path: string) => boolean, report: Report): void {
  const { command } = task;
  if (typeof command !== 'string' || command.includes('${') || !(FILE.test(command) || exists(command))) return;
  report.warning(
    'bad-value',
    task.spans[`${task.operator}>`] ?? task.spans._command ?? task.span,
    `${task.operator}> sends its value as the text: the channel gets '${command}', not what is in the file`,
    "In digdag-slack the value is a template file. Write the message here: `slack>: text`, or a mapping as Slack's webhooks take it, `slack>: {text: …, attachments: […]}`.",
  );
}
