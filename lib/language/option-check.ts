/** The keys of a task against the operators' table: unknown ones, missing ones, literal values that cannot work. */
import { asSeconds, parseDuration } from './duration.ts';
import type { OperatorSpec, OptionSpec, ValueType } from './operators.ts';
import type { Report } from './report.ts';
import { asBoolean, asInteger } from './scalar.ts';
import { didYouMean, nearest } from './suggest.ts';
import { reportTopOnly, TOP_ONLY } from './top-only.ts';
import { type Entry, entryOf, type MapTree, show, type Tree, toMapping, toValue } from './tree.ts';
import type { Value } from './workflow.ts';

export interface TaskKeys {
  readonly name: string;
  readonly operator: string;
  readonly spec: OperatorSpec;
  readonly tree: MapTree;
  /** `sh>: …`, or `_type: sh`. */
  readonly operatorEntry: Entry;
  /** `sh>: …`, or `_command: …`. */
  readonly commandEntry: Entry | undefined;
  readonly report: Report;
}

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

export function checkKeys(task: TaskKeys): void {
  checkBody(task);
  checkCommand(task);
  for (const { key, value } of task.tree.entries) {
    const option = Object.hasOwn(task.spec.options, key) ? task.spec.options[key] : undefined;
    if (option) checkOption(`${key}`, value, option, task.report);
  }
  SPECIAL[task.operator]?.(task);
  checkUnused(task);
}

function checkBody({ spec, operator, tree, operatorEntry, report }: TaskKeys): void {
  const has = (key: string) => entryOf(tree, key) !== undefined;
  const at = operatorEntry.keySpan;
  if (spec.body === 'do' && !has('_do')) {
    report.error(
      'missing-key',
      at,
      `\`_do\` is required next to ${operator}> but not set`,
      'Write `_do:` and below it what is repeated.',
    );
  }
  if (spec.body === 'if' && !has('_do') && !has('_else_do')) {
    report.error(
      'missing-key',
      at,
      'Both `_do` and `_else_do` are not specified',
      'Write `_do:` and below it what runs if the value is true.',
    );
  }
}

/** Operators that find what they need elsewhere if the value is absent. */
const COMMAND_ELSEWHERE: { readonly [operator: string]: readonly string[] } = {
  py: ['script'],
  loop: ['count'],
  s3_wait: ['bucket'],
  http: [],
  http_call: [],
  fail: [],
};

function checkCommand({ operator, spec, tree, operatorEntry, commandEntry, report }: TaskKeys): void {
  const value = commandEntry && toValue(commandEntry.value);
  if (value === undefined || value === null || (value === '' && spec.command.required)) {
    const elsewhere = Object.hasOwn(COMMAND_ELSEWHERE, operator) ? COMMAND_ELSEWHERE[operator] : undefined;
    if (elsewhere?.some((key) => entryOf(tree, key)) || elsewhere?.length === 0) return;
    report.error('missing-key', operatorEntry.keySpan, `${operator}> needs a value`, spec.command.description);
    return;
  }
  if (commandEntry) checkOption(`${operator}>`, commandEntry.value, spec.command, report, operator === 'if');
}

/** A literal that cannot be what the option wants. A text with an expression may become anything. */
function checkOption(name: string, tree: Tree, spec: OptionSpec, report: Report, emptyIsFalse = false): void {
  const value = toValue(tree);
  if (value === null || isTemplate(value)) return;
  const types = typeof spec.type === 'string' ? [spec.type] : spec.type;
  if (!types.some((type) => fits(type, value, emptyIsFalse))) {
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
    case 'list':
      return Array.isArray(value);
    case 'mapping':
      return value !== null && typeof value === 'object' && !Array.isArray(value);
  }
}

function hint(types: readonly ValueType[], value: Value): string | undefined {
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

function isTemplate(value: Value): boolean {
  return typeof value === 'string' && value.includes('${');
}

/** What a table cannot say. */
const SPECIAL: { readonly [operator: string]: (task: TaskKeys) => void } = {
  for_each({ commandEntry, report }) {
    const tree = commandEntry?.value;
    const value = tree && toValue(tree);
    if (tree?.kind === 'map') {
      if (tree.entries.length === 0)
        report.error(
          'bad-value',
          tree.span,
          'for_each> needs at least one variable',
          'For example `for_each>: {region: [north, south]}`.',
        );
      for (const { key, value: list } of tree.entries) {
        const given = toValue(list);
        if (list.kind === 'list' || isTemplate(given) || (typeof given === 'string' && isJsonList(given))) continue;
        report.error(
          'bad-value',
          list.span.end > list.span.start ? list.span : tree.span,
          `for_each> wants a list for '${key}', not ${show(given)}`,
          `For example \`${key}: [1, 2, 3]\`, or an expression that gives a list.`,
        );
      }
    } else if (typeof value === 'string' && tree && !isTemplate(value) && !isJsonObject(value)) {
      report.error(
        'bad-value',
        tree.span,
        `for_each> wants lists by variable name, not ${show(value)}`,
        'For example `for_each>: {region: [north, south]}`.',
      );
    }
  },
  for_range({ commandEntry, report }) {
    const tree = commandEntry?.value;
    if (tree?.kind !== 'map') return;
    const has = (key: string) => entryOf(tree, key) !== undefined;
    if (has('step') === has('slices')) {
      report.error(
        'bad-value',
        tree.span,
        has('step') ? 'for_range> takes either step or slices, not both' : 'for_range> needs step or slices',
        'For example `{from: 0, to: 10, step: 2}`.',
      );
    }
    for (const key of ['step', 'slices']) {
      const value = entryOf(tree, key)?.value;
      const number = value && asInteger(toValue(value));
      if (value && number !== undefined && number < 1)
        report.error('bad-value', value.span, `\`${key}\` of for_range> must be at least 1, not ${number}`);
    }
  },
  loop({ commandEntry, tree, report }) {
    const at = entryOf(tree, 'count') ?? commandEntry;
    const count = at && asInteger(toValue(at.value));
    if (at && count !== undefined && count < 0)
      report.error('bad-value', at.value.span, `loop> cannot run ${count} times`);
  },
  wait({ tree, report }) {
    const poll = entryOf(tree, 'poll_interval');
    const blocking = entryOf(tree, 'blocking');
    if (poll && blocking && asBoolean(toValue(blocking.value))) {
      report.error(
        'bad-option',
        poll.keySpan,
        "poll_interval can't be specified with blocking:true",
        'Leave both out: they have no effect here.',
      );
    }
  },
  require({ tree, report }) {
    const id = entryOf(tree, 'project_id');
    if (id && entryOf(tree, 'project_name'))
      report.error(
        'bad-option',
        id.keySpan,
        '`project_id` and `project_name` cannot be used together',
        'Write one of them.',
      );
  },
  s3_wait({ commandEntry, tree, report }) {
    const text = commandEntry && toValue(commandEntry.value);
    if (typeof text === 'string' && !isTemplate(text) && !/^[^/]+\/.+$/.test(text)) {
      report.error(
        'bad-value',
        commandEntry?.value.span,
        `s3_wait> wants BUCKET/KEY, not ${show(text)}`,
        'Or give `bucket:` and `key:`.',
      );
    }
    const bucket = entryOf(tree, 'bucket');
    if (bucket && !entryOf(tree, 'key')) report.error('missing-key', bucket.keySpan, '`bucket` needs `key` next to it');
  },
  aws({ commandEntry, report }) {
    const text = commandEntry && toValue(commandEntry.value);
    if (typeof text !== 'string' || isTemplate(text)) {
      if (commandEntry && isTemplate(text ?? null))
        report.error(
          'bad-value',
          commandEntry.value.span,
          'The action of aws> is part of the state machine: it cannot contain an expression',
          'Use if> to choose between tasks.',
        );
      return;
    }
    if (/^[a-z][\w-]*:[a-z]\w*(?:\.sync(?::2)?)?$/.test(text)) return;
    const [, service, action] = /^([\w-]+)[:.]([\w]+)/.exec(text) ?? [];
    const fixed =
      service && action ? `${service.toLowerCase()}:${action.charAt(0).toLowerCase()}${action.slice(1)}` : undefined;
    report.error(
      'bad-value',
      commandEntry?.value.span,
      `aws> wants service:action, not ${show(text)}`,
      text.includes('waitForTaskToken')
        ? 'aws> does not wait for task tokens.'
        : fixed
          ? `For example \`aws>: ${fixed}\`.`
          : 'For example `aws>: s3:listObjectsV2`, or `athena:startQueryExecution.sync`.',
    );
  },
  slack: wantsMessage,
  mail: wantsData,
};

/** The mapping is what is posted: Slack refuses one without any of these. */
function wantsMessage({ commandEntry, report }: TaskKeys): void {
  const tree = commandEntry?.value;
  if (tree?.kind !== 'map' || ['text', 'blocks', 'attachments'].some((key) => entryOf(tree, key))) return;
  report.error(
    'missing-key',
    tree.span,
    "The mapping after slack> needs the key 'text', 'blocks' or 'attachments'",
    'For example `slack>: {text: …}`. It is the message as Slack takes it.',
  );
}

function wantsData({ operator, commandEntry, report }: TaskKeys): void {
  const tree = commandEntry?.value;
  if (tree?.kind === 'map' && !entryOf(tree, 'data')) {
    report.error(
      'missing-key',
      tree.span,
      `The mapping after ${operator}> needs the key 'data'`,
      `For example \`${operator}>: {data: "text"}\`.`,
    );
  }
}

function isJsonList(text: string): boolean {
  return Array.isArray(parseJson(text));
}

function isJsonObject(text: string): boolean {
  const value = parseJson(text);
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Keys that reach nobody. One that a template of the task names is a variable of its own, and used. */
function checkUnused({ name, operator, spec, tree, report }: TaskKeys): void {
  const known = new Set([...Object.keys(spec.options), ...TASK_DIRECTIVES, ...FORM_KEYS]);
  if (spec.body) known.add('_do');
  if (spec.body === 'if') known.add('_else_do');
  if (spec.body === 'do') known.add('_parallel');
  for (const entry of tree.entries) {
    const { key, keySpan, value } = entry;
    if (known.has(key) || key.endsWith('>') || key.startsWith('+')) continue;
    const suggestion = key.startsWith('_') || !spec.readsAllKeys ? didYouMean(key, known) : nearSetting(key, value);
    if (spec.readsAllKeys ? !suggestion : isNamed(key, entry, tree)) continue;
    const directive = MISPLACED[key];
    if (entry.included !== undefined && TOP_ONLY.includes(key)) {
      reportTopOnly(name, entry, report);
      continue;
    }
    report.warning(
      'unused-key',
      keySpan,
      spec.readsAllKeys
        ? `'${key}' is passed to ${operator}> as a parameter`
        : `Parameter '${key}' is not used at task ${name} (${operator}>)`,
      directive ??
        suggestion ??
        (spec.body || operator === 'call' ? 'The tasks below do not see it: put it under `_export:`.' : undefined),
    );
  }
}

const MISPLACED: { readonly [key: string]: string | undefined } = {
  _do: '`_do` belongs to loop>, for_each>, for_range> and if>.',
  _else_do: '`_else_do` belongs to if>.',
  _parallel: '`_parallel` belongs to a group, loop>, for_each> or for_range>.',
  schedule: '`schedule` belongs at the top of the file.',
  timezone: '`timezone` belongs at the top of the file.',
};

/** `dokcer: {image: …}` on py>: a parameter by the letter, hardly by intention. */
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
