import { basename } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { isMapping } from '../../asl/json.ts';
import { isLeaf } from '../../language/value-form.ts';
import type { Mapping } from '../../language/workflow.ts';
import { SecretStore } from '../../local/secrets.ts';
import { awsWords } from '../aws-options.ts';
import type { SecretsFlags } from '../commands/secrets.ts';
import { CliError, EXIT, usageError } from '../exit-codes.ts';
import { findProject } from '../find-project.ts';
import { commandLine } from '../invocation.ts';
import { readMapping, readStdin, readText } from '../read-mapping.ts';
import type { Terminal } from '../terminal.ts';

/** Never prints a value, also not in a message about a wrong item. */
export async function manageSecrets(terminal: Terminal, flags: SecretsFlags): Promise<number> {
  if ((flags.local === true) === (flags.aws === true)) {
    throw usageError(
      'whose secrets? Say one of --local (runs here) and --aws (deployed workflows)',
      ...(['local', 'aws'] as const).map((where) => secretsCommand(terminal, { ...flags, where }, 'KEY')),
    );
  }
  const doing = [flags.set, flags.delete, flags.list].filter((each) => each !== undefined);
  if (doing.length > 1) throw usageError('--set, --delete and --list do not go together');
  if (flags.aws) {
    const { manageDeployedSecrets } = await import('./deployed-secrets.ts');
    return manageDeployedSecrets(terminal, flags);
  }
  const { folder } = findProject(terminal.cwd, flags);
  const store = new SecretStore(folder, terminal.env);

  if (flags.set !== undefined) {
    const values = await readItems(terminal, flags);
    await store.set(values);
    await terminal.stderr.write(`Set ${Object.keys(values).join(', ')} for the project ${basename(folder)}\n`);
  } else if (flags.delete !== undefined) {
    const deleted = await store.delete(flags.delete);
    const absent = flags.delete.filter((key) => !deleted.includes(key));
    if (deleted.length > 0) await terminal.stderr.write(`Deleted ${deleted.join(', ')}\n`);
    if (absent.length > 0) throw new CliError(EXIT.failed, `there is no secret ${absent.join(', ')}`);
  } else {
    const { own, digdag } = await store.list();
    await terminal.stdout.write(own.map((key) => `${key}\n`).join(''));
    await terminal.stdout.write(digdag.map((key) => `${key}  (of digdag)\n`).join(''));
    if (own.length + digdag.length === 0) {
      await terminal.stderr.write(`No secret is set. Set one with: ${secretsCommand(terminal, flags, 'KEY')}\n`);
    }
  }
  return EXIT.ok;
}

/** What `--set` was given, by key. */
export async function readItems(terminal: Terminal, flags: SecretsFlags): Promise<{ [key: string]: string }> {
  const values: { [key: string]: string } = {};
  for (const item of flags.set ?? []) Object.assign(values, await readItem(terminal, flags, item));
  return values;
}

/** `k=v`, `k=@file` (its text as it is), `k=-` and `@-` (standard input), `k` (asks), `@file.yml` (a mapping of keys). */
async function readItem(terminal: Terminal, flags: SecretsFlags, item: string): Promise<{ [key: string]: string }> {
  if (item.startsWith('@')) return flatten(await readMapping(terminal.cwd, item.slice(1)), '');
  const at = item.indexOf('=');
  const key = at === -1 ? item : item.slice(0, at);
  if (!/^[^\s=${}]+$/.test(key)) throw usageError('a secret needs a name: --set KEY=VALUE');
  if (at === -1) return { [key]: await ask(terminal, flags, key) };
  const value = item.slice(at + 1);
  if (value === '-') return { [key]: (await readStdin()).replace(/\r?\n$/, '') };
  return { [key]: value.startsWith('@') ? await readText(terminal.cwd, value.slice(1)) : value };
}

export function secretsCommand(
  terminal: Terminal,
  flags: SecretsFlags & { readonly where?: 'local' | 'aws' },
  item: string,
): string {
  const where = flags.where ?? (flags.aws ? 'aws' : 'local');
  const { project } = flags;
  const more = where === 'aws' ? awsWords(flags) : awsWords(project === undefined ? {} : { project });
  return commandLine(terminal.env, ['secrets', `--${where}`, '--set', item, ...more]);
}

/** Nested keys are joined by dots: `slack: {url: x}` is `slack.url`. */
function flatten(mapping: Mapping, prefix: string): { [key: string]: string } {
  const values: { [key: string]: string } = {};
  for (const [key, value] of Object.entries(mapping)) {
    if (isLeaf(value)) values[prefix + key] = value.text;
    else if (isMapping(value)) Object.assign(values, flatten(value, `${prefix}${key}.`));
    else if (value === null || typeof value === 'object') throw usageError(`${prefix}${key}: expected a text`);
    else values[prefix + key] = String(value);
  }
  return values;
}

/** Asks on the terminal; what is typed is not shown. */
async function ask(terminal: Terminal, flags: SecretsFlags, key: string): Promise<string> {
  if (process.stdin.isTTY !== true) {
    throw usageError(
      `no terminal to ask for ${key}`,
      `Give it on standard input: ${secretsCommand(terminal, flags, `${key}=-`)}`,
    );
  }
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: process.stdin, output: nowhere, terminal: true });
  await terminal.stderr.write(`Value of ${key} (not shown): `);
  try {
    return await new Promise<string>((resolve, reject) => {
      const stop = () => reject(new CliError(EXIT.interrupted, 'nothing was set'));
      lines.once('line', resolve).once('SIGINT', stop).once('close', stop);
    });
  } finally {
    lines.close();
    await terminal.stderr.write('\n');
  }
}
