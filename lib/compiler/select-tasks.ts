/**
 * `run WF +task`, `--start`, `--goal`, `--end`: which tasks of a workflow run. Pure: from a Workflow to a smaller one. The rules are
 * digdag's (TaskMatchPattern, SubtreeExtract, and TaskTree's "recursive parents, upstream, children" in Run.java), except that nothing
 * is taken from an earlier run: what `--start` leaves out does not run.
 */
import type { Diagnostic } from '../language/diagnostic.ts';
import { didYouMean } from '../language/suggest.ts';
import type { Group, Node, Workflow } from '../language/workflow.ts';

export interface Selection {
  /** Only this subtree. */
  readonly only?: string;
  /** Leave out what this task waits for. */
  readonly start?: string;
  /** This task, what it waits for, and nothing else. */
  readonly goal?: string;
  /** Only what this task waits for. */
  readonly end?: string;
}

export type Selected =
  | { readonly workflow: Workflow; readonly diagnostics: readonly [] }
  | { readonly workflow?: undefined; readonly diagnostics: readonly Diagnostic[] };

/** What happens to the siblings on the way down to the selected task: kept or not, by whether the task waits for them. */
interface Rule {
  readonly upstream: boolean;
  readonly others: boolean;
  readonly self: boolean;
}

/** In the order in which they are applied. */
const RULES: readonly (readonly [keyof Selection, Rule])[] = [
  ['only', { upstream: false, others: false, self: true }],
  ['start', { upstream: false, others: true, self: true }],
  ['goal', { upstream: true, others: false, self: true }],
  ['end', { upstream: true, others: false, self: false }],
];

/** Returns the workflow with the selected tasks, or `task-pattern` errors. Exports and handlers of enclosing groups stay. */
export function selectTasks(workflow: Workflow, selection: Selection): Selected {
  let { root } = workflow;
  for (const [key, rule] of RULES) {
    const pattern = selection[key];
    if (pattern === undefined) continue;
    const found = findTask(root, pattern);
    if ('code' in found) return { diagnostics: [found] };
    root = prune(root, found.path, rule);
  }
  return { workflow: root === workflow.root ? workflow : { ...workflow, root }, diagnostics: [] };
}

interface Found {
  /** Nodes from the root's child to the task. Empty for the root. */
  readonly path: readonly Node[];
}

/** The task whose full name ends with the pattern: names as written in the file, without those that loops and if> generate. */
export function findTask(root: Group, pattern: string): Found | Diagnostic {
  const all = new Map<string, Node[]>();
  const visit = (node: Node, prefix: string, path: Node[]) => {
    const name = prefix + node.name;
    all.set(name, path);
    if (node.kind === 'group') for (const child of node.children) visit(child, name, [...path, child]);
  };
  visit(root, '', []);

  const exact = all.get(pattern);
  if (exact !== undefined) return { path: exact };
  const matches = [...all].filter(([name]) => name.endsWith(pattern));
  const [first] = matches;
  if (first !== undefined && matches.length === 1) return { path: first[1] };
  if (first !== undefined) {
    return patternError(
      `Task pattern '${pattern}' is ambiguous. Matching candidates are [${matches.map(([name]) => name).join(', ')}]`,
      'Write more of the name, such as its group',
    );
  }
  const shorter = [...all.keys()].map((name) => [name.slice(name.lastIndexOf('+')), name] as const);
  const near = didYouMean(pattern, [...all.keys(), ...shorter.map(([short]) => short)]);
  return patternError(
    `Task pattern '${pattern}' doesn't match with any tasks.`,
    ...(near === undefined ? [] : [near]),
    ...(isGenerated(root, pattern) ? ['Tasks inside of a loop or an if> cannot be chosen: name the loop itself'] : []),
  );
}

function patternError(message: string, ...notes: string[]): Diagnostic {
  return { code: 'task-pattern', severity: 'error', message: message.replace(/\.$/, ''), notes };
}

function isGenerated(node: Node, pattern: string): boolean {
  if (node.kind === 'group') return node.children.some((child) => isGenerated(child, pattern));
  return [node.body, node.elseBody].some((body) => body !== undefined && !('code' in findBelow(body, pattern)));
}

function findBelow(body: Node, pattern: string): Found | Diagnostic {
  return body.kind === 'group' ? findTask(body, pattern) : { path: [] };
}

function prune(group: Group, path: readonly Node[], rule: Rule): Group {
  const [next, ...rest] = path;
  if (next === undefined) return rule.self ? group : { ...group, children: [] };
  const upstream = upstreamOf(group, next);
  const children: Node[] = [];
  for (const child of group.children) {
    if (child !== next) {
      if (upstream.has(child) ? rule.upstream : rule.others) children.push(child);
    } else if (rest.length > 0 && child.kind === 'group') {
      children.push(prune(child, rest, rule));
    } else if (rule.self) {
      children.push(child);
    }
  }
  const names = new Set(children.map((child) => child.name));
  return { ...group, children: children.map((child) => withoutAfter(child, names)) };
}

/** `_after` may name only what is still there. */
function withoutAfter(node: Node, present: ReadonlySet<string>): Node {
  const { after } = node.directives;
  if (after === undefined || after.every((name) => present.has(name))) return node;
  const { after: _, ...directives } = node.directives;
  const kept = after.filter((name) => present.has(name));
  return { ...node, directives: kept.length === 0 ? directives : { ...directives, after: kept } };
}

/** The siblings that `node` waits for, directly or not. */
function upstreamOf({ children, parallel }: Group, node: Node): ReadonlySet<Node> {
  const direct = new Map<Node, readonly Node[]>();
  if (parallel.kind === 'sequential') {
    // digdag: a background child waits for nothing; a normal one for the last normal one and the background ones since.
    let before: Node[] = [];
    for (const child of children) {
      if (child.directives.background === true) {
        direct.set(child, []);
        before.push(child);
      } else {
        direct.set(child, before);
        before = [child];
      }
    }
  } else {
    const limit = parallel.kind === 'limit' ? parallel.limit : Number.POSITIVE_INFINITY;
    children.forEach((child, i) => {
      const chunk = Math.floor(i / limit);
      const earlier = chunk > 0 ? children.slice((chunk - 1) * limit, chunk * limit) : [];
      const after = child.directives.after ?? [];
      direct.set(child, [...earlier, ...children.filter(({ name }) => after.includes(name))]);
    });
  }
  const all = new Set<Node>();
  const collect = (each: Node) => {
    for (const up of direct.get(each) ?? []) {
      if (all.has(up)) continue;
      all.add(up);
      collect(up);
    }
  };
  collect(node);
  return all;
}
