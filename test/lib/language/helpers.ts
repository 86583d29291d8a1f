import type { Diagnostic } from '../../../lib/language/diagnostic.ts';
import { type ParsedWorkflow, parseWorkflow } from '../../../lib/language/dig/parse-workflow.ts';
import type { Node, Task, Workflow } from '../../../lib/language/workflow.ts';
import type { ReadFile } from '../../../lib/language/yaml/include.ts';

export type Files = { readonly [path: string]: string };

export function reader(files: Files): ReadFile {
  return (path) => {
    const text = files[path];
    return text === undefined ? { fault: 'missing' } : { text };
  };
}

/** The first file is the workflow, the others what it includes. */
export function parse(files: Files | string): ParsedWorkflow {
  const all = typeof files === 'string' ? { 'main.dig': files } : files;
  const [file = '', text = ''] = Object.entries(all)[0] ?? [];
  return parseWorkflow(file.replace(/\.dig$/, ''), file, text, reader(all));
}

/** A workflow without faults. */
export function valid(files: Files | string): Workflow {
  const { workflow, diagnostics } = parse(files);
  if (!workflow || diagnostics.length > 0) throw new Error(`Expected no faults: ${JSON.stringify(diagnostics)}`);
  return workflow;
}

export function child(node: Node | Workflow | undefined, ...names: string[]): Node {
  let at: Node | undefined = node && 'root' in node ? node.root : node;
  for (const name of names) at = at?.kind === 'group' ? at.children.find((one) => one.name === name) : undefined;
  if (!at) throw new Error(`No node ${names.join('')}`);
  return at;
}

export function task(node: Node | Workflow | undefined, ...names: string[]): Task {
  const found = child(node, ...names);
  if (found.kind !== 'task') throw new Error(`${names.join('')} is a group`);
  return found;
}

/** `error bad-value «text at the place»`, sources by file. */
export function brief(diagnostics: readonly Diagnostic[], files: Files | string): string[] {
  const all = typeof files === 'string' ? { 'main.dig': files } : files;
  return diagnostics.map(({ severity, code, span }) => {
    const text = span && all[span.file]?.slice(span.start, span.end).split('\n')[0];
    return `${severity} ${code}${text === undefined ? '' : ` «${text}»`}`;
  });
}
