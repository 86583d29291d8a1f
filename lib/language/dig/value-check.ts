/** Checks of a task's value beyond its type, by the operator's kind. */
import { isMapping } from '../../asl/json.ts';
import type { OperatorSpec } from '../operators/spec.ts';
import type { Report } from '../report.ts';
import type { Value } from '../workflow.ts';
import { asBoolean, asInteger } from '../yaml/scalar.ts';
import { type Entry, entryOf, type MapTree, show, toValue } from '../yaml/tree.ts';

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

export function checkValue(task: TaskKeys): void {
  checkOf(task.spec)?.(task);
}

function checkOf(spec: OperatorSpec): ((task: TaskKeys) => void) | undefined {
  switch (spec.kind) {
    case 'repeat':
      return LOOPS[spec.over];
    case 'pause':
      return checkPause;
    case 'session':
      return checkSession;
    case 'poll':
      return checkPoll;
    case 'service':
      return checkService;
    case 'function':
      return spec.function === 'notify' ? MESSAGES[spec.sends] : undefined;
    default:
      return undefined;
  }
}

const LOOPS = { lists: checkLists, range: checkRange, count: checkCount };

const MESSAGES = { slack: wantsMessage, mail: wantsData, notification: undefined };

function checkLists({ operator, commandEntry, report }: TaskKeys): void {
  const tree = commandEntry?.value;
  const value = tree && toValue(tree);
  if (tree?.kind === 'map') {
    if (tree.entries.length === 0)
      report.error(
        'bad-value',
        tree.span,
        `${operator}> needs at least one variable`,
        `For example \`${operator}>: {region: [north, south]}\`.`,
      );
    for (const { key, value: list } of tree.entries) {
      const given = toValue(list);
      if (list.kind === 'list' || isTemplate(given) || (typeof given === 'string' && isJsonList(given))) continue;
      report.error(
        'bad-value',
        list.span.end > list.span.start ? list.span : tree.span,
        `${operator}> wants a list for '${key}', not ${show(given)}`,
        `For example \`${key}: [1, 2, 3]\`, or an expression that gives a list.`,
      );
    }
  } else if (typeof value === 'string' && tree && !isTemplate(value) && !isJsonObject(value)) {
    report.error(
      'bad-value',
      tree.span,
      `${operator}> wants lists by variable name, not ${show(value)}`,
      `For example \`${operator}>: {region: [north, south]}\`.`,
    );
  }
}

function checkRange({ operator, commandEntry, report }: TaskKeys): void {
  const tree = commandEntry?.value;
  if (tree?.kind !== 'map') return;
  const has = (key: string) => entryOf(tree, key) !== undefined;
  if (has('step') === has('slices')) {
    report.error(
      'bad-value',
      tree.span,
      has('step') ? `${operator}> takes either step or slices, not both` : `${operator}> needs step or slices`,
      'For example `{from: 0, to: 10, step: 2}`.',
    );
  }
  for (const key of ['step', 'slices']) {
    const value = entryOf(tree, key)?.value;
    const number = value && asInteger(toValue(value));
    if (value && number !== undefined && number < 1)
      report.error('bad-value', value.span, `\`${key}\` of ${operator}> must be at least 1, not ${number}`);
  }
}

function checkCount({ operator, commandEntry, tree, report }: TaskKeys): void {
  const at = entryOf(tree, 'count') ?? commandEntry;
  const count = at && asInteger(toValue(at.value));
  if (at && count !== undefined && count < 0)
    report.error('bad-value', at.value.span, `${operator}> cannot run ${count} times`);
}

function checkPause({ tree, report }: TaskKeys): void {
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
}

function checkSession({ tree, report }: TaskKeys): void {
  const id = entryOf(tree, 'project_id');
  if (id && entryOf(tree, 'project_name'))
    report.error(
      'bad-option',
      id.keySpan,
      '`project_id` and `project_name` cannot be used together',
      'Write one of them.',
    );
}

function checkPoll({ operator, commandEntry, tree, report }: TaskKeys): void {
  const text = commandEntry && toValue(commandEntry.value);
  if (typeof text === 'string' && !isTemplate(text) && !/^[^/]+\/.+$/.test(text)) {
    report.error(
      'bad-value',
      commandEntry?.value.span,
      `${operator}> wants BUCKET/KEY, not ${show(text)}`,
      'Or give `bucket:` and `key:`.',
    );
  }
  const bucket = entryOf(tree, 'bucket');
  if (bucket && !entryOf(tree, 'key')) report.error('missing-key', bucket.keySpan, '`bucket` needs `key` next to it');
}

function checkService({ operator, commandEntry, report }: TaskKeys): void {
  const text = commandEntry && toValue(commandEntry.value);
  if (typeof text !== 'string' || isTemplate(text)) {
    if (commandEntry && isTemplate(text ?? null))
      report.error(
        'bad-value',
        commandEntry.value.span,
        `The action of ${operator}> is part of the state machine: it cannot contain an expression`,
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
    `${operator}> wants service:action, not ${show(text)}`,
    text.includes('waitForTaskToken')
      ? `${operator}> does not wait for task tokens.`
      : fixed
        ? `For example \`${operator}>: ${fixed}\`.`
        : `For example \`${operator}>: s3:listObjectsV2\`, or \`athena:startQueryExecution.sync\`.`,
  );
}

/** The mapping is posted as it is, and Slack refuses one without any of these keys. */
function wantsMessage({ operator, commandEntry, report }: TaskKeys): void {
  const tree = commandEntry?.value;
  if (tree?.kind !== 'map' || ['text', 'blocks', 'attachments'].some((key) => entryOf(tree, key))) return;
  report.error(
    'missing-key',
    tree.span,
    `The mapping after ${operator}> needs the key 'text', 'blocks' or 'attachments'`,
    `For example \`${operator}>: {text: …}\`. It is the message as Slack takes it.`,
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
  return isMapping(value);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export function isTemplate(value: Value): boolean {
  return typeof value === 'string' && value.includes('${');
}
