import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { project, trowel } from '../lib/cli/run-cli.ts';

const ROOT = join(import.meta.dirname, '..', '..');

interface Case {
  readonly page: string;
  readonly workflow: string;
  readonly args?: readonly string[];
  readonly code?: number;
}

const CASES: readonly Case[] = [
  { page: 'README.md', workflow: 'main.dig', args: ['--session', '2030-01-31'] },
  { page: 'docs/first-workflow.md', workflow: 'main.dig' },
  { page: 'docs/loops.md', workflow: 'main.dig' },
  { page: 'docs/loops.md', workflow: 'dynamic.dig' },
  { page: 'docs/small-values.md', workflow: 'types.dig' },
  { page: 'docs/large-values.md', workflow: 'main.dig' },
  { page: 'docs/secrets.md', workflow: 'main.dig', code: 1 },
];

/** The named blocks of a page as files, and the lines of the plain block that follows a workflow: what it prints. */
function blocks(page: string, workflow: string): { files: { [name: string]: string }; printed: string[] } {
  const files: { [name: string]: string } = {};
  let printed: string[] | undefined;
  let of: string | undefined;
  for (const [, language, text = ''] of readFileSync(join(ROOT, page), 'utf8').matchAll(
    /^```(\w*)\n([\s\S]*?)^```$/gm,
  )) {
    const name = /^# (\S+\.\w+)\n/.exec(text)?.[1];
    if (name !== undefined) files[name] = text;
    if (name?.endsWith('.dig') === true) of = name;
    else if (language === '' && of === workflow && !text.startsWith('trowel ')) printed ??= text.trimEnd().split('\n');
  }
  return { files, printed: printed ?? [] };
}

/** Without times and the day of today, and of a tree its names only. */
const still = (line: string): string =>
  line
    .replaceAll(/\d+\.\d+ s/g, 'N s')
    .replace(/session \S+/, 'session S')
    .replace(/^[│├└─ ]*✓ (\S+).*/, '$1');

describe('what a page says a workflow prints', () => {
  it.concurrent.each(CASES)('$page, $workflow', async ({ page, workflow, args = [], code = 0 }) => {
    const { files, printed } = blocks(page, workflow);
    const cwd = await project(files);
    const run = await trowel(['run', workflow, ...args], { cwd });
    const lines = `${run.stdout}\n${run.stderr}`.split('\n').map(still);
    expect(printed.length).toBeGreaterThan(0);
    const missing = printed.map(still).filter((line) => !lines.some((each) => each === line || each.includes(line)));
    expect(missing, run.stderr).toEqual([]);
    expect(run.code).toBe(code);
  });
});
