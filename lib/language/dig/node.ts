/** A mapping of a .dig file → Group or Task: WorkflowCompiler's rules, but every fault is reported and parsing continues. */
import { present } from '../../asl/present.ts';
import type { Span } from '../diagnostic.ts';
import { LATER_OPERATORS, lookUp, replacementOf, SYNONYMS } from '../operators/elsewhere.ts';
import { hasBody, leadsToTasks, OPERATORS, operatorSpec } from '../operators.ts';
import type { Report } from '../report.ts';
import { didYouMean } from '../suggest.ts';
import type { Directives, Group, Mapping, Node, Parallelism, Task, Value } from '../workflow.ts';
import { type Entry, entryOf, type MapTree, show, spansOf, toValue } from '../yaml/tree.ts';
import { corrected, missingColon, wideIn } from '../yaml/yaml-faults.ts';
import {
  readAfter,
  readEnv,
  readExport,
  readFlag,
  readParallel,
  readRetry,
  readSecrets,
  readTimeout,
} from './directives.ts';
import { checkTaskName } from './names.ts';
import { checkKeys } from './option-check.ts';
import { reportTopOnly, TOP_ONLY } from './top-only.ts';

const GROUP_KEYS = [
  '_parallel',
  '_background',
  '_after',
  '_error',
  '_check',
  '_retry',
  '_export',
  '_secrets',
  '_env',
  '_disable',
];
/** Directives that a task's operator does not see. */
const NOT_IN_KEYS = new Set(['_export', '_error', '_check', '_do', '_else_do', '_background', '_after']);
const SEQUENTIAL: Parallelism = { kind: 'sequential' };

/** The group that a whole file is. Its unknown keys are reported by parse-workflow.ts. */
export function readRoot(name: string, tree: MapTree, report: Report): Group {
  return readGroup(name, tree, 'root', report);
}

/** The node of a mapping. `name` is `+x`, or `^error` and the like for a body. */
export function readNode(name: string, tree: MapTree, report: Report): Node {
  const disable = entryOf(tree, '_disable');
  if (disable && readFlag(disable, report)) {
    return { kind: 'group', name, span: tree.span, directives: {}, parallel: SEQUENTIAL, children: [] };
  }
  const isTask = tree.entries.some(({ key }) => key === '_type' || key.endsWith('>'));
  return isTask ? readTask(name, tree, report) : readGroup(name, tree, 'inside', report);
}

function readDirectives(
  name: string,
  tree: MapTree,
  kind: 'group' | 'task',
  hasBody: boolean,
  report: Report,
): Directives {
  const directives: { -readonly [K in keyof Directives]: Directives[K] } = {};
  const set = <K extends keyof Directives>(key: K, value: Directives[K] | undefined) => {
    if (value !== undefined) directives[key] = value;
  };
  for (const entry of tree.entries) {
    switch (entry.key) {
      case '_export':
        set('export', readExport(entry, report));
        break;
      case '_env':
        set('env', readEnv(entry, report));
        break;
      case '_secrets':
        set('secrets', readSecrets(entry, report));
        break;
      case '_error':
        set('error', readBody('^error', entry, report));
        break;
      case '_check':
        if (kind === 'group') {
          report.warning(
            'unused-key',
            entry.keySpan,
            `\`_check\` on the group ${name} has no effect`,
            'Put it on the task whose result it checks.',
          );
        } else set('check', readBody('^check', entry, report));
        break;
      case '_retry':
        set('retry', readRetry(entry, kind === 'group' || hasBody ? 'group' : 'task', report));
        break;
      case '_background':
        set('background', readFlag(entry, report));
        break;
      case '_after':
        set('after', readAfter(entry, report));
        break;
    }
  }
  return directives;
}

/** `_error`, `_check`, `_do`, `_else_do`: a group or a single task. */
export function readBody(name: string, entry: Entry, report: Report): Node | undefined {
  if (entry.value.kind === 'map') return readNode(name, withKey(entry, entry.value), report);
  const value = toValue(entry.value);
  report.error(
    'task-not-mapping',
    value === null ? entry.keySpan : entry.value.span,
    value === null ? `\`${entry.key}\` is empty` : `\`${entry.key}\` wants a task or tasks, not ${show(value)}`,
    `Write an operator or +tasks below it, indented: \`${entry.key}:\` and then \`  echo>: …\`.`,
  );
  return undefined;
}

function readGroup(name: string, tree: MapTree, where: 'inside' | 'root', report: Report): Group {
  const subtasks = tree.entries.filter(({ key }) => key.startsWith('+'));
  if (where !== 'root') checkGroupKeys(name, tree, subtasks.length > 0, report);
  const directives = readDirectives(name, tree, 'group', false, report);
  const parallel = readParallel(entryOf(tree, '_parallel'), 'group', report);
  const children: Node[] = [];
  for (const entry of subtasks) {
    checkTaskName(entry.key, entry.keySpan, report);
    const child = readChild(entry, tree, report);
    if (child) children.push(child);
  }
  checkOrder(tree, children, subtasks, parallel, report);
  return withSpans({ kind: 'group', name, span: tree.span, directives, parallel, children }, tree);
}

function readChild(entry: Entry, parent: MapTree, report: Report): Node | undefined {
  const { key, keySpan, value } = entry;
  if (value.kind === 'map') return readNode(key, withKey(entry, value), report);
  const got = toValue(value);
  if (got === null) {
    const after = parent.entries[parent.entries.indexOf(entry) + 1];
    const stray = after && !after.key.startsWith('+') && !after.key.startsWith('_') ? after : undefined;
    report.error(
      'task-null',
      keySpan,
      `The task ${key} is empty (null)`,
      stray
        ? `'${stray.key}' below it is in the same column as ${key}: indent it by two spaces.`
        : `Write an operator below it, indented by two spaces, or \`${key}: {}\` for a task that does nothing.`,
    );
    return undefined;
  }
  report.error(
    'task-not-mapping',
    value.span,
    `The task ${key} wants an operator, not ${show(got)}`,
    taskHint(key, got),
  );
  return undefined;
}

function taskHint(name: string, got: Value): string {
  if (typeof got === 'string') {
    const fixed = missingColon(got) ?? wideIn(got);
    if (fixed) return `${'what' in fixed ? fixed.what : fixed.message}. ${corrected([`${name}:`, `  ${fixed.line}`])}`;
    return corrected([`${name}:`, `  echo>: ${got.slice(0, 60)}`]);
  }
  return Array.isArray(got) ? 'Write the keys below a task without dashes.' : corrected([`${name}:`, '  sh>: command']);
}

/** A node's span begins at its key, unless an include or an alias brought its body from elsewhere. */
function withKey({ keySpan }: Entry, tree: MapTree): MapTree {
  const { file, end } = tree.span;
  const near = keySpan.file === file && keySpan.start <= tree.span.start;
  return { ...tree, span: near ? { file, start: keySpan.start, end } : keySpan };
}

function checkGroupKeys(name: string, tree: MapTree, hasChildren: boolean, report: Report): void {
  const unknown = tree.entries.filter(
    ({ key }) => !key.startsWith('+') && !GROUP_KEYS.includes(key) && !TOP_ONLY.includes(key),
  );
  for (const entry of tree.entries) if (TOP_ONLY.includes(entry.key)) reportTopOnly(name, entry, report);
  const [first] = unknown;
  if (!first) return;
  if (!hasChildren) {
    const keys = unknown.map(({ key }) => `'${key}'`).join(', ');
    const missed = unknown.map(({ key }) => missedOperator(key)).find((operator) => operator !== undefined);
    report.error(
      'forgotten-operator',
      first.keySpan,
      `${name} has no operator, only the key${unknown.length > 1 ? 's' : ''} ${keys}`,
      missed ? `Did you mean \`${missed}>:\`?` : 'Say what runs, for example `py>: module.function` or `sh>: command`.',
    );
    return;
  }
  for (const { key, keySpan } of unknown) {
    const missed = missedOperator(key);
    report.error(
      'unknown-group-key',
      keySpan,
      `${name} is a group (it contains +tasks) and has no key '${key}'`,
      didYouMean(key, GROUP_KEYS) ??
        (missed
          ? `If this is the operator ${missed}>, put it into a separate +task.`
          : key === '_timeout'
            ? '`_timeout` belongs on a task.'
            : 'Parameters for the tasks below go under `_export:`.'),
    );
  }
}

/** `sh` for `sh>`, `python` for `py>`. */
function missedOperator(key: string): string | undefined {
  const word = key.trim().replace(/>$/, '').trim();
  return operatorSpec(word) ? word : lookUp(SYNONYMS, word);
}

/** `_background` and `_after` each make sense in one kind of parent only. */
function checkOrder(
  tree: MapTree,
  children: readonly Node[],
  subtasks: readonly Entry[],
  parallel: Parallelism,
  report: Report,
): void {
  const earlier = new Set<string>();
  const all = new Set(subtasks.map(({ key }) => key));
  const spanOf = (child: Node, key: string): Span => {
    const entry = subtasks.find((one) => one.key === child.name)?.value;
    const at = entry?.kind === 'map' ? entryOf(entry, key) : undefined;
    return at?.value.span ?? at?.keySpan ?? tree.span;
  };
  for (const child of children) {
    const { after, background } = child.directives;
    if (parallel.kind === 'sequential') {
      if (after) {
        report.error(
          'bad-after',
          spanOf(child, '_after'),
          '`_after` is allowed only if the group around has `_parallel: true`',
          'In a sequence every task waits for the one before it. Write `_parallel: true` on the group, or leave `_after` out.',
        );
      }
    } else {
      if (background) {
        report.error(
          'bad-background',
          spanOf(child, '_background'),
          '`_background: true` is not allowed if the group around has `_parallel: true`: all its tasks start at once',
          'Leave it out.',
        );
      }
      for (const name of after ?? []) {
        if (!earlier.has(name)) {
          report.error(
            'bad-after',
            spanOf(child, '_after'),
            `Dependency task '${name}' does not exist before ${child.name}`,
            name === child.name
              ? 'A task cannot wait for itself.'
              : all.has(name)
                ? `${name} comes after ${child.name}: move it up.`
                : didYouMean(name, earlier),
          );
        }
      }
    }
    earlier.add(child.name);
  }
}

function readTask(name: string, tree: MapTree, report: Report): Task {
  for (const { key, keySpan, value } of tree.entries) {
    if (key.startsWith('+')) {
      report.error(
        'task-with-subtasks',
        keySpan,
        `A task with an operator can't have subtasks: ${key} is inside ${name}`,
        toValue(value) === null
          ? `If the operator belongs to ${key}, indent it by two spaces.`
          : `Unindent ${key} to make it the next task, or make ${name} a group and put the operator into a separate +task.`,
      );
    }
  }
  const operators = tree.entries.filter(({ key }) => key.endsWith('>'));
  const [first, second] = operators;
  if (first && second) {
    report.error(
      'two-operators',
      second.keySpan,
      `A task can't have more than one operator: ${name} has ${operators.map(({ key }) => key).join(' and ')}`,
      `Put ${second.key} into a separate +task.`,
    );
  }
  const typeEntry = entryOf(tree, '_type');
  const operatorEntry = typeEntry ?? first;
  const operator = typeEntry ? String(toValue(typeEntry.value)) : (first?.key.slice(0, -1) ?? '');
  const commandEntry = typeEntry ? entryOf(tree, '_command') : first;
  const spec = operatorSpec(operator);
  if (!spec && operatorEntry)
    reportOperator(operator, typeEntry ? typeEntry.value.span : operatorEntry.keySpan, report);
  const own = tree.entries.filter(({ key }) => !NOT_IN_KEYS.has(key) && !key.startsWith('+'));
  const keys: Mapping = {};
  for (const { key, value } of own) keys[key] = toValue(value);
  const body = spec && hasBody(spec) ? bodyOf(tree, '_do', report) : undefined;
  const elseBody = spec?.kind === 'condition' ? bodyOf(tree, '_else_do', report) : undefined;
  const timeout = entryOf(tree, '_timeout');
  const seconds = timeout && readTimeout(timeout, report);
  const task: Task = withSpans(
    {
      kind: 'task',
      name,
      span: tree.span,
      directives: readDirectives(name, tree, 'task', leadsToTasks(operator), report),
      operator,
      command: commandEntry ? toValue(commandEntry.value) : null,
      keys,
      spans: {},
      ...present({ body, elseBody }),
      parallel: spec?.kind === 'repeat' ? readParallel(entryOf(tree, '_parallel'), 'loop', report) : SEQUENTIAL,
      ...present({ timeout: seconds }),
    },
    tree,
  );
  if (spec && operatorEntry) checkKeys({ name, operator, spec, tree, operatorEntry, commandEntry, report });
  return task;
}

function bodyOf(tree: MapTree, key: string, report: Report): Node | undefined {
  const entry = entryOf(tree, key);
  return entry && readBody('^sub', entry, report);
}

function reportOperator(name: string, span: Span, report: Report): void {
  const replacement = replacementOf(name);
  if (replacement !== undefined) {
    report.error('unsupported-operator', span, `The operator ${name}> is not supported`, replacement);
    return;
  }
  const later = lookUp(LATER_OPERATORS, name);
  if (later !== undefined) {
    report.error(
      'unsupported-operator',
      span,
      `The operator ${name}> is not available yet: it comes with a later release`,
      later,
    );
    return;
  }
  const known = Object.keys(OPERATORS);
  const synonym = lookUp(SYNONYMS, name.trim().toLowerCase());
  report.error(
    'unknown-operator',
    span,
    `There is no operator ${name}>`,
    synonym
      ? `Did you mean '${synonym}>'?`
      : didYouMean(
          `${name.trim()}>`,
          known.map((one) => `${one}>`),
        ),
    synonym ? undefined : `Operators: ${known.map((one) => `${one}>`).join(' ')}.`,
  );
}

/** Spans of every value of the node, made when first asked for: most runs never need them. */
function withSpans<N extends Node>(node: N, tree: MapTree): N {
  let spans: { [path: string]: Span } | undefined;
  const entries = tree.entries.filter(({ key }) => !BODIES.has(key) && !key.startsWith('+'));
  return Object.defineProperty(node, 'spans', {
    enumerable: true,
    configurable: true,
    get: () => {
      spans ??= spansOf(entries);
      return spans;
    },
  });
}

const BODIES = new Set(['_error', '_check', '_do', '_else_do']);
