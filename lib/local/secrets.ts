/**
 * Secrets of runs here. They are outside of the project, one file for each project, which only its user can read:
 * `$XDG_CONFIG_HOME/trowel/secrets/<name>-<hash of the project's real path>.json`. Secrets that digdag keeps for all projects
 * (`~/.config/digdag/config` and `~/.config/digdag/secrets/KEY`) are found too, after the project's own.
 */
import { createHash } from 'node:crypto';
import { existsSync, realpathSync } from 'node:fs';
import { chmod, mkdir, readdir, readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { writeAtomically } from '../host/files.ts';
import { withLock } from '../host/lock.ts';
import { configFolder, digdagFolder } from '../host/user-folders.ts';

const PRIVATE = 0o600;

interface Stored {
  /** For a reader of the file. */
  readonly project: string;
  readonly secrets: { readonly [key: string]: string };
}

export class SecretStore {
  readonly path: string;
  readonly #project: string;
  readonly #env: NodeJS.ProcessEnv;
  #read: Promise<{ readonly [key: string]: string }> | undefined;

  /** @param project the project's folder */
  constructor(project: string, env: NodeJS.ProcessEnv = process.env) {
    this.#project = existsSync(project) ? realpathSync(project) : project;
    this.#env = env;
    const hash = createHash('sha256').update(this.#project).digest('hex').slice(0, 16);
    const name = basename(this.#project)
      .replace(/[^A-Za-z0-9_-]/g, '_')
      .slice(0, 40);
    this.path = join(configFolder(env), 'secrets', `${name}-${hash}.json`);
  }

  /** The value, or undefined if there is none. The project's file is read once. */
  async get(key: string): Promise<string | undefined> {
    this.#read ??= this.#load();
    const own = await this.#read;
    return Object.hasOwn(own, key) ? own[key] : digdagSecret(key, this.#env);
  }

  /** The keys that have no value, in the order given. */
  async missing(keys: readonly string[]): Promise<string[]> {
    const values = await Promise.all(keys.map((key) => this.get(key)));
    return keys.filter((_, i) => values[i] === undefined);
  }

  /** Keys of the project, sorted; then those that only digdag has. Never values. */
  async list(): Promise<{ readonly own: string[]; readonly digdag: string[] }> {
    const own = Object.keys(await this.#load()).sort();
    const digdag = (await digdagKeys(this.#env)).filter((key) => !own.includes(key)).sort();
    return { own, digdag };
  }

  async set(values: { readonly [key: string]: string }): Promise<void> {
    await this.#change((secrets) => Object.assign(secrets, values));
  }

  /** Resolves to those of the keys that were there. */
  async delete(keys: readonly string[]): Promise<string[]> {
    let found: string[] = [];
    await this.#change((secrets) => {
      found = keys.filter((key) => Object.hasOwn(secrets, key));
      for (const key of found) delete secrets[key];
    });
    return found;
  }

  async #change(edit: (secrets: { [key: string]: string }) => void): Promise<void> {
    await mkdir(dirname(this.path), { recursive: true, mode: 0o700 });
    await chmod(dirname(this.path), 0o700);
    await withLock(`${this.path}.lock`, async () => {
      const secrets = { ...(await this.#load()) };
      edit(secrets);
      const stored: Stored = { project: this.#project, secrets };
      await writeAtomically(this.path, `${JSON.stringify(stored, null, 2)}\n`, PRIVATE);
      this.#read = Promise.resolve(secrets);
    });
  }

  async #load(): Promise<{ readonly [key: string]: string }> {
    const text = await readFile(this.path, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw new Error(`The secrets of this project cannot be read: ${error.message}`, { cause: error });
    });
    if (text === undefined) return {};
    try {
      return (JSON.parse(text) as Stored).secrets;
    } catch (error) {
      throw new Error(`The secrets of this project cannot be read: ${this.path} is not JSON`, { cause: error });
    }
  }
}

async function digdagSecret(key: string, env: NodeJS.ProcessEnv): Promise<string | undefined> {
  const config = await digdagConfig(env);
  if (config.has(key)) return config.get(key);
  if (key === '' || key.includes('/') || key.startsWith('.')) return undefined;
  return readFile(join(digdagFolder(env), 'secrets', key), 'utf8').catch(() => undefined);
}

async function digdagKeys(env: NodeJS.ProcessEnv): Promise<string[]> {
  const files = await readdir(join(digdagFolder(env), 'secrets')).catch(() => []);
  return [...new Set([...(await digdagConfig(env)).keys(), ...files])];
}

/** `secrets.KEY = VALUE` lines of a Java properties file, as far as people use it: `=` or `:`, `#` and `!` comments, `\` escapes. */
async function digdagConfig(env: NodeJS.ProcessEnv): Promise<Map<string, string>> {
  const text = await readFile(join(digdagFolder(env), 'config'), 'utf8').catch(() => '');
  const secrets = new Map<string, string>();
  for (const line of text.replace(/\\\r?\n\s*/g, '').split(/\r?\n/)) {
    const match = /^\s*secrets\.((?:\\.|[^\s=:\\])+)\s*[=:]?\s*(.*)$/.exec(line);
    if (match?.[1] !== undefined) secrets.set(unescaped(match[1]), unescaped(match[2] ?? ''));
  }
  return secrets;
}

function unescaped(text: string): string {
  const named: { readonly [c: string]: string } = { n: '\n', t: '\t', r: '\r', f: '\f' };
  return text.replace(/\\u([0-9A-Fa-f]{4})|\\(.)/g, (_, code: string | undefined, c: string) =>
    code === undefined ? (named[c] ?? c) : String.fromCharCode(Number.parseInt(code, 16)),
  );
}
