/** What `trowel secrets` is given: which keys, and their values. */
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { isMapping } from '../../asl/json.ts';
import { RequestFault, usageFault } from '../../language/request-fault.ts';
import { isLeaf } from '../../language/value-form.ts';
import type { Mapping } from '../../language/workflow.ts';
import { commandLine } from '../render/invocation.ts';
import type { Terminal } from '../terminal.ts';
import { type AwsFlags, awsWords } from './aws-access.ts';
import { readMapping, readStdin, readText } from './read-text.ts';

export interface SecretsFlags extends AwsFlags {
  readonly aws?: true;
  readonly local?: true;
  readonly set?: readonly string[];
  readonly delete?: readonly string[];
  readonly list?: true;
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
  if (!/^[^\s=${}]+$/.test(key)) throw usageFault('a secret needs a name: --set KEY=VALUE');
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
    else if (value === null || typeof value === 'object') throw usageFault(`${prefix}${key}: expected a text`);
    else values[prefix + key] = String(value);
  }
  return values;
}

/** Asks on the terminal; what is typed is not shown. */
async function ask(terminal: Terminal, flags: SecretsFlags, key: string): Promise<string> {
  if (process.stdin.isTTY !== true) {
    throw usageFault(
      `no terminal to ask for ${key}`,
      `Give it on standard input: ${secretsCommand(terminal, flags, `${key}=-`)}`,
    );
  }
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: process.stdin, output: nowhere, terminal: true });
  await terminal.stderr.write(`Value of ${key} (not shown): `);
  try {
    return await new Promise<string>((resolve, reject) => {
      const stop = () => reject(new RequestFault('interrupted', 'nothing was set'));
      lines.once('line', resolve).once('SIGINT', stop).once('close', stop);
    });
  } finally {
    lines.close();
    await terminal.stderr.write('\n');
  }
}
