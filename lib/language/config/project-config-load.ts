/** trowel.yml → ProjectConfig. Every fault is reported with its place; a faulty key keeps its default. */

import { resolve } from 'node:path';
import type { z } from 'zod';
import { isMapping } from '../../asl/json.ts';
import { present } from '../../asl/present.ts';
import type { Span } from '../diagnostic.ts';
import { asSeconds } from '../duration.ts';
import { memoryOf, misfit, TASK_DEFAULTS, type TaskSize } from '../fargate-sizes.ts';
import type { Report } from '../report.ts';
import { didYouMean } from '../suggest.ts';
import { zoneHint, zoneOf } from '../timezone.ts';
import type { Mapping, Value } from '../workflow.ts';
import { reportFileFault } from '../yaml/include.ts';
import { type Entry, type MapTree, show, type Tree, toValue } from '../yaml/tree.ts';
import { readTree } from '../yaml/yaml.ts';
import { condaNote, isConda } from './conda.ts';
import { CONFIG_FILE, defaultConfig, fitName, type ProjectConfig, patternMatches } from './project-config.ts';
import type { ProjectFiles } from './project-files.ts';
import type { TrowelFile } from './trowel-schema.ts';

const REQUIREMENTS = 'requirements.txt';

export async function loadConfig(dir: string, files: ProjectFiles, report: Report): Promise<ProjectConfig> {
  const defaults = defaultConfig(resolve(dir));
  const tree = readFile(files, report);
  if (!tree) return withRequirements(defaults, undefined, files);
  // zod takes 60 ms to load: only projects with a trowel.yml pay for it.
  const { trowelSchema } = await import('./trowel-schema.ts');
  const value = plainOf(tree, files.sources.get(CONFIG_FILE) ?? '');
  const parsed = trowelSchema.safeParse(value);
  for (const issue of parsed.success ? [] : parsed.error.issues) reportIssue(issue, tree, value, trowelSchema, report);
  reportTemplates(tree, report);
  // Faulty keys are left out, so that the rest of the file counts.
  const rest = parsed.success ? parsed.data : retried(trowelSchema, value, parsed.error.issues);
  checkPaths(rest, tree, files, report);
  checkZone(rest, tree, report);
  checkMemory(rest, tree, report);
  checkExcluded(rest, tree, files, report);
  return withRequirements(merge(defaults, rest), rest, files);
}

function readFile(files: ProjectFiles, report: Report): MapTree | undefined {
  const read = files.read(CONFIG_FILE);
  if ('fault' in read) {
    if (read.fault !== 'missing') reportFileFault(read.fault, CONFIG_FILE, undefined, report);
    else if (files.exists('trowel.yaml'))
      report.warning('project-file', undefined, 'The file trowel.yaml is not read', `Rename it to ${CONFIG_FILE}.`);
    return undefined;
  }
  const tree = readTree(CONFIG_FILE, read.text, report);
  if (tree && tree.kind !== 'map' && toValue(tree) !== null) {
    report.error('project-file', tree.span, `${CONFIG_FILE} must be a mapping, not ${show(toValue(tree))}`);
  }
  return tree?.kind === 'map' ? tree : undefined;
}

/** A key without a value counts as absent. `version: 3.10` is read as written, not as the number 3.1. */
function plainOf(tree: Tree, source: string, key = ''): Value {
  if (tree.kind === 'list') return tree.items.map((item) => plainOf(item, source));
  if (tree.kind === 'map') {
    const mapping: Mapping = {};
    for (const entry of tree.entries) {
      const value = plainOf(entry.value, source, entry.key);
      if (value !== null) mapping[entry.key] = value;
    }
    return mapping;
  }
  return key === 'version' && typeof tree.value === 'number'
    ? source.slice(tree.span.start, tree.span.end)
    : toValue(tree);
}

type Issue = z.core.$ZodIssue;
type Schema = z.ZodType<TrowelFile>;

function reportIssue(issue: Issue, tree: MapTree, value: Value, schema: Schema, report: Report): void {
  const path = issue.path.map(String);
  if (issue.code === 'unrecognized_keys') {
    const known = keysAt(schema, path);
    for (const key of issue.keys) {
      report.error(
        'project-file',
        entryAt(tree, [...path, key])?.keySpan ?? tree.span,
        `${CONFIG_FILE} has no key '${[...path, key].join('.')}'`,
        didYouMean(key, known) ?? `Known${path.length > 0 ? ` in '${path.join('.')}'` : ''}: ${known.join(', ')}.`,
      );
    }
    return;
  }
  const code = path.join('.') === 'python.version' ? 'python-version' : 'project-file';
  report.error(
    code,
    spanAt(tree, path),
    `\`${path.join('.')}\` wants ${issue.message}, not ${show(valueAt(value, path))}`,
    nearValue(issue, path, valueAt(value, path)),
  );
}

function nearValue(issue: Issue, path: readonly string[], given: Value): string | undefined {
  if (typeof given !== 'string') return undefined;
  if (path.join('.') === 'name') return `For example '${fitName(given)}'.`;
  if (path.join('.') === 'python.version') return versionHint(given, issue);
  return issue.code === 'invalid_value' ? didYouMean(given, issue.values.map(String)) : undefined;
}

/** Similar digits do not make a version the one that was meant, so no "did you mean" for versions. */
function versionHint(given: string, issue: Issue): string | undefined {
  const known = issue.code === 'invalid_value' ? issue.values.map(String) : [];
  const [release = ''] = /\d+\.\d+/.exec(given) ?? [];
  return known.includes(release) ? `Write "${release}".` : undefined;
}

/** Names of the keys at a path of the schema. */
function keysAt(schema: Schema, path: readonly string[]): string[] {
  let at: unknown = schema;
  for (const key of path) {
    const { shape, valueType } = unwrapped(at);
    at = shape?.[key] ?? valueType;
  }
  return Object.keys(unwrapped(at).shape ?? {});
}

interface SchemaNode {
  readonly shape?: { readonly [key: string]: unknown };
  readonly valueType?: unknown;
}

function unwrapped(schema: unknown): SchemaNode {
  let at = schema as { unwrap?: () => unknown } | undefined;
  while (typeof at?.unwrap === 'function') at = at.unwrap() as typeof at;
  return (at ?? {}) as SchemaNode;
}

function entryAt(tree: MapTree, path: readonly string[]): Entry | undefined {
  let at: Tree | undefined = tree;
  let entry: Entry | undefined;
  for (const key of path) {
    if (at?.kind === 'list') {
      const item: Tree | undefined = at.items[Number(key)];
      entry = item && { key, keySpan: item.span, value: item };
    } else entry = at?.kind === 'map' ? at.entries.find((one) => one.key === key) : undefined;
    if (!entry) return undefined;
    at = entry.value;
  }
  return entry;
}

function spanAt(tree: MapTree, path: readonly string[]): Span {
  const entry = entryAt(tree, path);
  if (!entry) return tree.span;
  return entry.value.span.end > entry.value.span.start && entry.value.kind === 'scalar'
    ? entry.value.span
    : entry.keySpan;
}

function valueAt(value: Value, path: readonly string[]): Value {
  return path.reduce<Value>((at, key) => {
    if (Array.isArray(at)) return at[Number(key)] ?? null;
    return at !== null && typeof at === 'object' ? (at[key] ?? null) : null;
  }, value);
}

function retried(schema: Schema, value: Value, issues: readonly Issue[]): TrowelFile {
  const copy = structuredClone(value) as Mapping;
  for (const issue of issues) {
    const path = issue.path.map(String);
    const parent = valueAt(copy, path.slice(0, -1));
    const holder = issue.code === 'unrecognized_keys' ? valueAt(copy, path) : parent;
    const keys = issue.code === 'unrecognized_keys' ? issue.keys : path.slice(-1);
    if (Array.isArray(parent) && path.length > 1) {
      // One bad item of a list: the whole list keeps its default.
      remove(valueAt(copy, path.slice(0, -2)), [path.at(-2) ?? '']);
    } else remove(holder, keys);
  }
  const again = schema.safeParse(copy);
  return again.success ? again.data : {};
}

function remove(holder: Value, keys: readonly string[]): void {
  if (!isMapping(holder)) return;
  const mapping: Mapping = holder;
  for (const key of keys) delete mapping[key];
}

function reportTemplates(tree: Tree, report: Report): void {
  if (tree.kind === 'map') for (const { value } of tree.entries) reportTemplates(value, report);
  if (tree.kind === 'list') for (const item of tree.items) reportTemplates(item, report);
  if (tree.kind === 'scalar' && typeof tree.value === 'string' && tree.value.includes('${')) {
    report.error(
      'project-file',
      tree.span,
      `Values of ${CONFIG_FILE} are literals: ${show(tree.value)} would not be evaluated`,
      'Write the value itself; what changes from run to run is a parameter (-p, -P).',
    );
  }
}

function checkPaths(config: TrowelFile, tree: MapTree, files: ProjectFiles, report: Report): void {
  const check = (path: string, ...at: string[]): void => {
    const read = files.read(path);
    if ('fault' in read)
      reportFileFault(
        read.fault,
        path,
        spanAt(tree, at),
        report,
        `Paths are relative to the folder of ${CONFIG_FILE}.`,
      );
  };
  const { params, python, dockerfile } = config;
  if (typeof params === 'string') check(params, 'params');
  else for (const [index, path] of (params ?? []).entries()) check(path, 'params', String(index));
  if (python?.constraints !== undefined) check(python.constraints, 'python', 'constraints');
  if (dockerfile !== undefined) check(dockerfile, 'dockerfile');
  if (typeof python?.requirements === 'string') {
    const path = python.requirements;
    const at = ['python', 'requirements'];
    if (/\.ya?ml$/.test(path)) refuseConda(path, spanAt(tree, at), files, report);
    else if (/\.toml$|\.lock$|Pipfile/.test(path)) {
      report.error(
        'python-requirements',
        spanAt(tree, at),
        `'${path}' is no requirements file`,
        `Write its packages to ${REQUIREMENTS}, for example by \`uv export --no-hashes -o ${REQUIREMENTS}\` or \`pip freeze\`.`,
      );
    } else check(path, ...at);
  }
}

function refuseConda(path: string, span: Span, files: ProjectFiles, report: Report): void {
  const read = files.read(path);
  if ('fault' in read) {
    reportFileFault(read.fault, path, span, report);
    return;
  }
  const tree = readTree(path, read.text, report);
  const value = tree ? toValue(tree) : null;
  report.error(
    'python-requirements',
    span,
    isConda(value)
      ? `'${path}' is a conda environment; tasks install their packages with pip`
      : `'${path}' is no requirements file`,
    isConda(value) ? condaNote(value) : `Name a file of pip's requirement lines, such as ${REQUIREMENTS}.`,
  );
}

function checkZone({ timezone }: TrowelFile, tree: MapTree, report: Report): void {
  if (timezone !== undefined && zoneOf(timezone) === undefined) {
    report.error(
      'bad-timezone',
      spanAt(tree, ['timezone']),
      `Expected a time zone for key 'timezone' but got ${show(timezone)}`,
      zoneHint(timezone),
    );
  }
}

function checkMemory({ task }: TrowelFile, tree: MapTree, report: Report): void {
  if (task?.memory === undefined && task?.cpu === undefined) return;
  const { cpu, memory } = taskSize(task);
  const fault = misfit({ cpu, memory });
  if (fault === undefined) return;
  const key = task.memory === undefined ? 'cpu' : 'memory';
  report.error('project-file', spanAt(tree, ['task', key]), fault.message, fault.hint);
}

function taskSize(task: TrowelFile['task']): TaskSize {
  return {
    cpu: task?.cpu ?? TASK_DEFAULTS.cpu,
    memory: memoryOf(task?.memory) ?? TASK_DEFAULTS.memory,
  };
}

function checkExcluded({ deploy }: TrowelFile, tree: MapTree, files: ProjectFiles, report: Report): void {
  const workflows = deploy?.exclude === undefined ? [] : files.workflowFiles();
  for (const [index, pattern] of listOf(deploy?.exclude).entries()) {
    if (workflows.some((file) => patternMatches(pattern, file.replace(/\.dig$/, '')))) continue;
    const path = ['deploy', 'exclude'];
    report.warning(
      'project-file',
      spanAt(tree, typeof deploy?.exclude === 'string' ? path : [...path, String(index)]),
      `No workflow is named ${show(pattern)}: \`deploy.exclude\` keeps nothing out`,
      didYouMean(pattern, workflows),
    );
  }
}

function listOf(value: string | readonly string[] | undefined): readonly string[] {
  return typeof value === 'string' ? [value] : (value ?? []);
}

/** The file over the defaults, with units resolved. */
function merge(defaults: ProjectConfig, file: TrowelFile): ProjectConfig {
  const seconds = (value: string | number | undefined, byDefault: number) => asSeconds(value) ?? byDefault;
  const { python, task, notifications, network, retention } = file;
  return {
    name: file.name ?? defaults.name,
    timezone: (file.timezone !== undefined && zoneOf(file.timezone)) || defaults.timezone,
    params: listOf(file.params),
    python: {
      ...present({
        version: python?.version,
        constraints: python?.constraints,
      }),
      preload: python?.preload ?? [],
    },
    apt: file.apt ?? [],
    ...present({ dockerfile: file.dockerfile, image: file.image }),
    containers: file.containers ?? defaults.containers,
    task: {
      ...taskSize(task),
      disk: task?.disk ?? defaults.task.disk,
      timeout: seconds(task?.timeout, defaults.task.timeout),
      spot: task?.spot ?? defaults.task.spot,
      architecture: task?.architecture ?? defaults.task.architecture,
      heartbeat: seconds(task?.heartbeat, defaults.task.heartbeat),
    },
    secrets: file.secrets ?? [],
    notifications: {
      ...present({
        slack: notifications?.slack !== undefined ? notifications.slack.slice('secret:'.length) : undefined,
      }),
      email: notifications?.email ?? [],
      on: notifications?.on ?? defaults.notifications.on,
      links: notifications?.links ?? defaults.notifications.links,
    },
    network: {
      ...present({ vpc: network?.vpc }),
      subnets: network?.subnets ?? defaults.network.subnets,
      endpoints: network?.endpoints ?? defaults.network.endpoints,
    },
    retention: {
      logs: retention?.logs ?? defaults.retention.logs,
      values: retention?.values ?? defaults.retention.values,
      history: retention?.history ?? defaults.retention.history,
    },
    values: { pickle: file.values?.pickle ?? defaults.values.pickle },
    tags: file.tags ?? {},
    ...present({ deploy: file.deploy !== undefined ? { exclude: listOf(file.deploy.exclude) } : undefined }),
    apps: Object.fromEntries(
      Object.entries(file.apps ?? {}).map(([name, { image, command, args }]) => [
        name,
        {
          ...present({
            image,
            command:
              command !== undefined ? (typeof command === 'string' ? command.trim().split(/\s+/) : command) : undefined,
          }),
          args: args ?? [],
        },
      ]),
    ),
  };
}

function withRequirements(config: ProjectConfig, file: TrowelFile | undefined, files: ProjectFiles): ProjectConfig {
  const given = file?.python?.requirements;
  const requirements =
    given === undefined
      ? files.exists(REQUIREMENTS) && { file: REQUIREMENTS }
      : typeof given === 'string'
        ? { file: given }
        : given.length > 0 && { lines: given };
  return requirements ? { ...config, python: { ...config.python, requirements } } : config;
}
