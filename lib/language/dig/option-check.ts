/** Checks the keys of a task against the operators' table: unknown ones, missing ones, literal values that cannot work. */
import { isMapping } from '../../asl/json.ts';
import { asSeconds, parseDuration } from '../duration.ts';
import { cpuOf, diskOf, memoryOf, nearSize, WANTED } from '../fargate-sizes.ts';
import type { OperatorKind, OptionSpec, ValueType } from '../operators/spec.ts';
import { hasBody, leadsToTasks, OPERATORS } from '../operators.ts';
import type { Report } from '../report.ts';
import { didYouMean, nearest } from '../suggest.ts';
import type { Value } from '../workflow.ts';
import { asBoolean, asInteger } from '../yaml/scalar.ts';
import { type Entry, entryOf, type MapTree, show, type Tree, toMapping, toValue } from '../yaml/tree.ts';
import { reportTopOnly, TOP_ONLY } from './top-only.ts';
import { checkValue, isTemplate, type TaskKeys } from './value-check.ts';

/** Allowed on every task. */
export const TASK_DIRECTIVES = [
  '_export',
  '_env',
  '_secrets',
  '_error',
  '_check',
  '_retry',
  '_timeout',
  '_background',
  '_after',
  '_disable',
];
const FORM_KEYS = ['_type', '_command', '_workdir'];
/** What the compiler gives a task; written in a file, it has no effect. */
const OWN_KEYS = ['_beside'];

export function checkKeys(task: TaskKeys): void {
  checkBody(task);
  checkCommand(task);
  for (const { key, value } of task.tree.entries) {
    const option = Object.hasOwn(task.spec.options, key) ? task.spec.options[key] : undefined;
    if (option) checkOption(`${key}`, value, option, task.report);
  }
  checkValue(task);
  checkUnused(task);
}

function checkBody({ spec, operator, tree, operatorEntry, report }: TaskKeys): void {
  const has = (key: string) => entryOf(tree, key) !== undefined;
  const at = operatorEntry.keySpan;
  if (spec.kind === 'repeat' && !has('_do')) {
    report.error(
      'missing-key',
      at,
      `\`_do\` is required next to ${operator}> but not set`,
      'Write `_do:` and below it what is repeated.',
    );
  }
  if (spec.kind === 'condition' && !has('_do') && !has('_else_do')) {
    report.error(
      'missing-key',
      at,
      'Both `_do` and `_else_do` are not specified',
      'Write `_do:` and below it what runs if the value is true.',
    );
  }
}

function checkCommand({ operator, spec, tree, operatorEntry, commandEntry, report }: TaskKeys): void {
  const value = commandEntry && toValue(commandEntry.value);
  if (value === undefined || value === null || (value === '' && spec.command.required)) {
    const elsewhere = spec.commandElsewhere;
    if (elsewhere?.some((key) => entryOf(tree, key)) || elsewhere?.length === 0) return;
    report.error('missing-key', operatorEntry.keySpan, `${operator}> needs a value`, spec.command.description);
    return;
  }
  if (commandEntry) checkOption(`${operator}>`, commandEntry.value, spec.command, report);
}

/** Reports a literal that does not fit the option. A text with an expression can become anything, so it is not checked. */
function checkOption(name: string, tree: Tree, spec: OptionSpec, report: Report): void {
  const value = toValue(tree);
  if (value === null || isTemplate(value)) return;
  const types = typeof spec.type === 'string' ? [spec.type] : spec.type;
  if (!types.some((type) => fits(type, value, spec.emptyIsFalse ?? false))) {
    const code = types.includes('duration') || types.includes('seconds') ? 'bad-duration' : 'bad-option';
    const wanted = types.map((type) => TYPE_WORDS[type]).join(' or ');
    report.error(code, tree.span, `\`${name}\` wants ${wanted}, not ${show(value)}`, hint(types, value));
    return;
  }
  if (spec.oneOf && typeof value === 'string' && !spec.oneOf.includes(value)) {
    report.error(
      'bad-option',
      tree.span,
      `\`${name}\` is one of ${spec.oneOf.join(', ')}, not ${show(value)}`,
      didYouMean(value, spec.oneOf),
    );
  }
  if (spec.keys && tree.kind === 'map') checkKeysOf(name, tree, spec.keys, report);
}

function checkKeysOf(name: string, tree: MapTree, keys: { readonly [key: string]: OptionSpec }, report: Report): void {
  for (const { key, keySpan, value } of tree.entries) {
    const spec = Object.hasOwn(keys, key) ? keys[key] : undefined;
    if (spec) checkOption(`${name}.${key}`, value, spec, report);
    else
      report.warning(
        'unused-key',
        keySpan,
        `\`${name}\` has no key '${key}'`,
        didYouMean(key, Object.keys(keys)) ?? `It knows ${Object.keys(keys).join(', ')}.`,
      );
  }
  for (const [key, spec] of Object.entries(keys)) {
    if (spec.required && !entryOf(tree, key))
      report.error('missing-key', tree.span, `\`${name}\` needs the key '${key}'`, spec.description);
  }
}

const TYPE_WORDS: { readonly [type in ValueType]: string } = {
  text: 'text',
  boolean: 'true or false',
  integer: 'a whole number',
  number: 'a number',
  duration: 'a duration',
  seconds: 'whole seconds or a duration',
  list: 'a list',
  mapping: 'a mapping',
  any: 'a value',
  ...WANTED,
};

function fits(type: ValueType, value: Value, emptyIsFalse: boolean): boolean {
  switch (type) {
    case 'any':
      return true;
    case 'text':
      return typeof value !== 'object';
    case 'boolean':
      return asBoolean(value, emptyIsFalse) !== undefined;
    case 'integer':
      return asInteger(value) !== undefined;
    case 'number':
      return (
        typeof value === 'number' ||
        (typeof value === 'string' && value.trim() !== '' && Number.isFinite(Number(value)))
      );
    case 'duration':
      return typeof value === 'string' && parseDuration(value) !== undefined;
    case 'seconds':
      return asSeconds(value) !== undefined;
    case 'cpu':
      return cpuOf(value) !== undefined;
    case 'memory':
      return memoryOf(value) !== undefined;
    case 'disk':
      return diskOf(value) !== undefined;
    case 'list':
      return Array.isArray(value);
    case 'mapping':
      return isMapping(value);
  }
}

function hint(types: readonly ValueType[], value: Value): string | undefined {
  const [type] = types;
  if (type === 'cpu' || type === 'memory' || type === 'disk') return nearSize(type, value);
  if (types.includes('duration')) {
    return asInteger(value) !== undefined
      ? `With its unit: \`${value}s\`.`
      : 'For example `30s`, `10m`, `1h 30m`, `1d`.';
  }
  if (types.includes('seconds')) return 'For example `30`, `30s`, `10m`.';
  if (types.includes('list') && typeof value !== 'object') return `A list of one: \`[${JSON.stringify(value)}]\`.`;
  if (types[0] === 'boolean' && (value === 'yes' || value === 'no' || value === 'on' || value === 'off')) {
    return `Only true and false are Booleans here; \`${value}\` is text.`;
  }
  if (types[0] === 'boolean') return 'Compare with an expression, for example `${x > 0}`.';
  return undefined;
}

/** Reports keys that nothing reads. A key that a template of the task names is a variable, and used. */
function checkUnused({ name, operator, spec, tree, report }: TaskKeys): void {
  const known = new Set([...Object.keys(spec.options), ...TASK_DIRECTIVES, ...FORM_KEYS]);
  if (hasBody(spec)) known.add('_do');
  if (spec.kind === 'condition') known.add('_else_do');
  if (spec.kind === 'repeat') known.add('_parallel');
  // User code has all keys as parameters, so none of them is unused.
  const readsAllKeys = spec.kind === 'container';
  for (const entry of tree.entries) {
    const { key, keySpan, value } = entry;
    if (known.has(key) || key.endsWith('>') || key.startsWith('+')) continue;
    const suggestion = key.startsWith('_') || !readsAllKeys ? didYouMean(key, known) : nearSetting(key, value);
    const ignored = OWN_KEYS.includes(key);
    if (!ignored && (readsAllKeys ? !suggestion : isNamed(key, entry, tree))) continue;
    const directive = misplaced(key);
    if (entry.included !== undefined && TOP_ONLY.includes(key)) {
      reportTopOnly(name, entry, report);
      continue;
    }
    report.warning(
      'unused-key',
      keySpan,
      readsAllKeys && !ignored
        ? `'${key}' is passed to ${operator}> as a parameter`
        : `Parameter '${key}' is not used at task ${name} (${operator}>)`,
      directive ??
        suggestion ??
        (leadsToTasks(operator) ? 'The tasks below do not see it: put it under `_export:`.' : undefined),
    );
  }
}

function misplaced(key: string): string | undefined {
  switch (key) {
    case '_do':
      return `\`_do\` belongs to ${listed(named('repeat', 'condition'))}.`;
    case '_else_do':
      return `\`_else_do\` belongs to ${listed(named('condition'))}.`;
    case '_parallel':
      return `\`_parallel\` belongs to ${listed(['a group', ...named('repeat')], 'disjunction')}.`;
    case 'schedule':
    case 'timezone':
      return `\`${key}\` belongs at the top of the file.`;
    default:
      return undefined;
  }
}

/** Joins words as in `loop>, for_each> and if>`. */
function listed(words: readonly string[], type: 'conjunction' | 'disjunction' = 'conjunction'): string {
  return new Intl.ListFormat('en-GB', { type }).format(words);
}

function named(...kinds: readonly OperatorKind[]): string[] {
  const found = Object.entries(OPERATORS).filter(([, { kind }]) => kinds.includes(kind));
  return found.map(([name]) => `${name}>`);
}

/** `dokcer: {image: …}` on py>: valid as a parameter, but hardly meant as one. */
function nearSetting(key: string, value: Tree): string | undefined {
  if (value.kind !== 'map') return undefined;
  const [best] = nearest(key, ['docker', 'resources'], 0.34);
  return best === undefined ? undefined : `Did you mean '${best}'?`;
}

function isNamed(key: string, own: Entry, tree: MapTree): boolean {
  if (!/^[A-Za-z_$][\w$]*$/.test(key)) return false;
  const others = JSON.stringify(toMapping({ ...tree, entries: tree.entries.filter((entry) => entry !== own) }));
  return new RegExp(`\\$\\{[^]*\\b${key.replaceAll('$', '\\$')}\\b`).test(others);
}
