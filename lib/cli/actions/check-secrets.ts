/** Secrets that the workflows name and that are not set for runs here. */

import { mountedKey, secretKeys } from '../../contract/secret-keys.ts';
import type { Diagnostic, Span } from '../../language/diagnostic.ts';
import { isReplaced } from '../../language/dig/secret-check.ts';
import { operatorSpec } from '../../language/operators.ts';
import type { Project } from '../../language/project.ts';
import { locate, templatesOf } from '../../language/templates.ts';
import type { Mapping, Node, Task, Workflow } from '../../language/workflow.ts';
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
  const visit = (node: Node | undefined, around: Mapping, outer: readonly string[]): void => {
    if (node === undefined) return;
    const mounts = { ...around, ...node.directives.secrets };
    // Defaults of an operator, which may name another address.
    const exported = [...outer, ...Object.keys(node.directives.export ?? {})];
    for (const template of templatesOf(node)) {
      if (!template.text.includes('secret:') || !isReplaced(node, template.path)) continue;
      for (const key of secretKeys(template.text)) {
        const place = placeOf(template.text, key) ?? template.text;
        note(key, mounts, locate(sources.get(template.span.file), template, place));
      }
    }
    if (node.kind === 'task') {
      const key = neededSecret(node, exported);
      if (key !== undefined) note(key, mounts, node.spans[`${node.operator}>`] ?? node.span);
    }
    const { error, check } = node.directives;
    const below = node.kind === 'group' ? node.children : [node.body, node.elseBody];
    for (const each of [...below, error, check]) visit(each, mounts, exported);
  };
  visit(workflow.root, {}, []);
  visit(workflow.sla?.body, {}, []);
}

/** The secret that a task needs though it does not name it. `exported`: what is in scope may hold its options. */
function neededSecret({ operator, keys }: Task, exported: readonly string[]): string | undefined {
  const { needsSecret, defaults } = operatorSpec(operator) ?? {};
  if (needsSecret === undefined || needsSecret.unless.some((option) => keys[option] !== undefined)) return undefined;
  return defaults !== undefined && exported.includes(defaults) ? undefined : needsSecret.key;
}

/** `${secret:KEY}` as it is written. */
function placeOf(text: string, key: string): string | undefined {
  return [...text.matchAll(/\$\{\s*secret:([^}]*)\}/g)].find(([, inner = '']) => inner.trim() === key)?.[0];
}
