import { basename } from 'node:path';
import { TASK_DEFAULTS } from '../fargate-sizes.ts';

/** Python versions of the tasks, here and deployed. */
export const PYTHON_VERSIONS = ['3.9', '3.10', '3.11', '3.12', '3.13', '3.14'] as const;

/** trowel.yml, every default filled in. Durations in seconds, memory in MB, disk in GB. */
export interface ProjectConfig {
  readonly name: string;
  /** Zone of workflows that name none. */
  readonly timezone: string;
  /** YAML files merged as session parameters, relative to the project. */
  readonly params: readonly string[];
  readonly python: {
    /** `3.9` … `3.14`; absent: that of `python3` here, 3.11 deployed. */
    readonly version?: string;
    /** A file, or the lines of one; absent: nothing to install. */
    readonly requirements?: { readonly file: string } | { readonly lines: readonly string[] };
    readonly constraints?: string;
    readonly preload: readonly string[];
  };
  readonly apt: readonly string[];
  readonly dockerfile?: string;
  readonly image?: string;
  readonly containers: 'never' | 'auto' | 'always';
  readonly task: {
    readonly cpu: number;
    readonly memory: number;
    readonly disk: number;
    readonly timeout: number;
    readonly spot: boolean;
    readonly architecture: 'x86_64' | 'arm64';
    readonly heartbeat: number;
  };
  /** Keys of secrets that can be asked for although only a parameter names them. */
  readonly secrets: readonly string[];
  readonly notifications: {
    /** Key of the secret that holds the webhook. */
    readonly slack?: string;
    readonly email: readonly string[];
    readonly on: readonly ('failure' | 'recovery' | 'sla')[];
    readonly links: boolean;
  };
  readonly network: {
    /** Absent: `shared`, unless `subnets` or `endpoints` ask for something that the shared VPC does not have. */
    readonly vpc?: string;
    readonly subnets: 'public' | 'private';
    readonly endpoints: boolean;
  };
  /** Days. */
  readonly retention: { readonly logs: number; readonly values: number; readonly history: number };
  /** `pickle`: objects of any class may be stored. */
  readonly values: { readonly pickle: boolean };
  readonly tags: { readonly [key: string]: string };
  readonly apps: { readonly [name: string]: App };
  readonly deploy?: {
    /** Workflows that run here only: names, paths, or patterns of these with `*` and `**`. */
    readonly exclude: readonly string[];
  };
}

/** An app that task> and compose> can name: an image with its own entry point, or a command. */
export interface App {
  readonly image?: string;
  readonly command?: readonly string[];
  readonly args: readonly string[];
}

export const CONFIG_FILE = 'trowel.yml';
/** Python of the containers where trowel.yml names none. */
export const DEPLOYED_PYTHON = '3.11';

export function defaultConfig(dir: string): ProjectConfig {
  return {
    name: fitName(basename(dir)),
    timezone: 'UTC',
    params: [],
    python: { preload: [] },
    apt: [],
    containers: 'never',
    task: { ...TASK_DEFAULTS, spot: false, architecture: 'x86_64' },
    secrets: [],
    notifications: { email: [], on: ['failure'], links: true },
    network: { subnets: 'public', endpoints: false },
    retention: { logs: 30, values: 30, history: 90 },
    values: { pickle: false },
    tags: {},
    apps: {},
  };
}

/** Makes a name of the form `[a-z][a-z0-9-]{0,62}` from any folder's name. */
export function fitName(folder: string): string {
  const fit = folder
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^[^a-z]+/, '')
    .slice(0, 63)
    .replace(/-+$/, '');
  return fit || 'project';
}

/** `named`: by its id. Resources that cost money while nothing runs are not put into the VPC that projects share. */
export function networkKind({ vpc, subnets, endpoints }: ProjectConfig['network']): 'shared' | 'own' | 'named' {
  if (vpc === undefined) return subnets === 'private' || endpoints ? 'own' : 'shared';
  if (vpc === 'own' || vpc === 'default-new') return 'own';
  return vpc === 'shared' ? 'shared' : 'named';
}

/** Whether `deploy.exclude` leaves a workflow (`test`, of the file `test.dig`) to this machine. */
export function isExcluded({ deploy }: Pick<ProjectConfig, 'deploy'>, workflow: string): boolean {
  return (deploy?.exclude ?? []).some((pattern) => patternMatches(pattern, workflow));
}

/** `*` is anything within a folder, `**` over folders too; with or without `.dig`. */
export function patternMatches(pattern: string, workflow: string): boolean {
  const source = pattern
    .replace(/^\.\//, '')
    .split(/(\*\*\/?|\*|\?)/)
    .map((part) => WILDCARDS[part] ?? part.replace(/[\\^$.+()[\]{}|]/g, '\\$&'))
    .join('');
  const expression = new RegExp(`^${source}$`);
  return expression.test(workflow) || expression.test(`${workflow}.dig`);
}

const WILDCARDS: { readonly [wildcard: string]: string } = { '**/': '(?:.*/)?', '**': '.*', '*': '[^/]*', '?': '[^/]' };
