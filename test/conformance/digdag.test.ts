/**
 * The recorded behaviour of digdag (digdag/*.yaml beside this file): each case is a project, a command line and what must be seen.
 * digdag/run_suite.py runs the same cases against any command; .ci/run does so with the one that is built. Here they share a process, for
 * its start would take most of the time.
 */
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { runCommandLine } from '../../lib/cli/main.ts';
import { fakeTerminal } from '../lib/cli/fake-terminal.ts';

interface Case {
  readonly name: string;
  readonly about: string;
  readonly files: { readonly [path: string]: string };
  readonly run: string;
  readonly args?: readonly (string | number)[];
  readonly command?: 'run' | 'check';
  readonly secrets?: { readonly [key: string]: string };
  readonly expect: {
    readonly exit?: number;
    readonly out?: string;
    readonly out_sorted?: readonly string[];
    readonly stdout_has?: readonly string[];
    readonly stdout_lacks?: readonly string[];
  };
}

const folder = join(import.meta.dirname, 'digdag');
const files = (await readdir(folder)).filter((file) => file.endsWith('.yaml')).sort();

for (const file of files) {
  const cases = parse(await readFile(join(folder, file), 'utf8')) as Case[];
  describe(file, () => {
    it.concurrent.each(cases)('$name: $about', async (each) => {
      const seen = await runCase(each);
      const { exit, out, out_sorted, stdout_has = [], stdout_lacks = [] } = each.expect;
      const told = `${each.name}\n${seen.text}`;
      if (exit !== undefined) expect(seen.exit, told).toBe(exit);
      if (out !== undefined) expect(lines(seen.out), told).toEqual(lines(String(out)));
      if (out_sorted !== undefined) expect(lines(seen.out).sort(), told).toEqual(out_sorted.map(String).sort());
      for (const piece of stdout_has) expect(seen.text).toContain(piece);
      for (const piece of stdout_lacks) expect(seen.text).not.toContain(piece);
    });
  });
}

function lines(text: string): string[] {
  const all = text.split('\n');
  if (all.at(-1) === '') all.pop();
  return all;
}

async function runCase(each: Case): Promise<{ exit: number; text: string; out: string }> {
  const box = await mkdtemp(join(tmpdir(), 'case-'));
  try {
    const project = join(box, 'project');
    await mkdir(project);
    for (const [path, text] of Object.entries(each.files)) {
      await mkdir(dirname(join(project, path)), { recursive: true });
      await writeFile(join(project, path), text);
    }
    for (const [key, value] of Object.entries(each.secrets ?? {})) {
      const set = await trowel(project, ['secrets', '--local', '--set', `${key}=${value}`]);
      expect(set.exit, set.text).toBe(0);
    }
    const seen = await trowel(project, [each.command ?? 'run', each.run, ...(each.args ?? []).map(String)]);
    const record = join(project, 'out');
    return { ...seen, out: existsSync(record) ? await readFile(record, 'utf8') : '' };
  } finally {
    await rm(box, { recursive: true, force: true });
  }
}

async function trowel(cwd: string, args: readonly string[]): Promise<{ exit: number; text: string }> {
  const { stdout, stderr, ...terminal } = fakeTerminal({ cwd });
  const env = { ...process.env, PYTHONDONTWRITEBYTECODE: '1' };
  const exit = await runCommandLine(args, '', { ...terminal, stdout, stderr, env });
  return { exit, text: stdout.text + stderr.text };
}
