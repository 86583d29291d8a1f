/** Secrets that the workflows name and that are not set for runs here. */
import { mountedKey, secretKeys } from '../../contract/secret-keys.ts';
import type { Diagnostic, Span } from '../../language/diagnostic.ts';
import { isReplaced } from '../../language/dig/secret-check.ts';
import type { Project } from '../../language/project.ts';
import { locate, templatesOf } from '../../language/templates.ts';
import type { Mapping, Node, Workflow } from '../../language/workflow.ts';
import { SecretStore } from '../../local/secrets.ts';

/** One warning for each key, at the first place that names it. */
export async function missingSecrets(
  project: Project,
  env: NodeJS.ProcessEnv,
  command: (key: string) => string,
): Promise<Diagnostic[]> {
  const named = new Map<string, Span>();
  for (const workflow of project.workflows.values()) collect(workflow, project.sources, named);
  if (named.size === 0) return [];
  const missing = await new SecretStore(project.dir, env).missing([...named.keys()]);
  return missing.map((key) => ({
    code: 'secret-missing',
    severity: 'warning',
    ...(named.get(key) && { span: named.get(key)! }),
    message: `The secret ${key} is not set here`,
    notes: [`Set it with: ${command(key)}`],
  }));
}

function collect(workflow: Workflow, sources: ReadonlyMap<string, string>, named: Map<string, Span>): void {
  const note = (key: string, mounts: Mapping, span: Span): void => {
    const own = mountedKey(key, mounts);
    if (!own.includes('$') && own !== '' && !named.has(own)) named.set(own, span);
  };
  const visit = (node: Node | undefined, around: Mapping, hasAddress: boolean): void => {
    if (node === undefined) return;
    const mounts = { ...around, ...node.directives.secrets };
    // Defaults of slack>, which may name another address.
    const addressed = hasAddress || node.directives.export?.slack !== undefined;
    for (const template of templatesOf(node)) {
      if (!template.text.includes('secret:') || !isReplaced(node, template.path)) continue;
      for (const key of secretKeys(template.text)) {
        const place = placeOf(template.text, key) ?? template.text;
        note(key, mounts, locate(sources.get(template.span.file), template, place));
      }
    }
    if (node.kind === 'task' && node.operator === 'slack' && node.keys.url === undefined && !addressed) {
      note('slack.webhook', mounts, node.spans['slack>'] ?? node.span);
    }
    const { error, check } = node.directives;
    const below = node.kind === 'group' ? node.children : [node.body, node.elseBody];
    for (const each of [...below, error, check]) visit(each, mounts, addressed);
  };
  visit(workflow.root, {}, false);
  visit(workflow.sla?.body, {}, false);
}

/** `${secret:KEY}` as it is written. */
function placeOf(text: string, key: string): string | undefined {
  return [...text.matchAll(/\$\{\s*secret:([^}]*)\}/g)].find(([, inner = '']) => inner.trim() === key)?.[0];
}
