/** Covers lib/cli/commands/index.ts, lib/cli/main.ts. */
import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { beforeAll, describe, expect, it } from 'vitest';
import { COMMANDS } from '../../../lib/cli/commands/index.ts';
import { EXIT_CODES } from '../../../lib/cli/exit-codes.ts';
import { buildProgram } from '../../../lib/cli/main.ts';

const DOCS = readFileSync(new URL('../../../docs/cli.md', import.meta.url), 'utf8');

let program: Command;

beforeAll(async () => {
  program = await buildProgram('1.2.3', async () => {});
});

function helpOf(command: Command): string {
  let text = '';
  command.configureOutput({ writeOut: (part) => (text += part), getOutHelpWidth: () => 120 });
  command.outputHelp();
  return text;
}

function commandsOf(command: Command, path = 'trowel'): [string, Command][] {
  return command.commands.flatMap((child): [string, Command][] => {
    const name = `${path} ${child.name()}`;
    return [[name, child], ...commandsOf(child, name)];
  });
}

describe('help', () => {
  it('of trowel lists commands and exit codes', () => {
    const text = helpOf(program);
    for (const { name, summary } of COMMANDS) expect(text).toMatch(new RegExp(`^  ${name}.*${summary}$`, 'm'));
    for (const [code, meaning] of EXIT_CODES) expect(text).toContain(`  ${String(code).padEnd(5)}${meaning}`);
  });

  it('of every command has an example of that command, and every option has a description', () => {
    const all = commandsOf(program);
    expect(all.map(([name]) => name)).toContain('trowel asl run');
    for (const [name, command] of all) {
      expect(helpOf(command)).toContain(`\nExamples:\n  ${name}`);
      for (const option of command.options) expect(option.hidden || option.description !== '', option.flags).toBe(true);
      expect(command.description()).not.toBe('');
    }
  });
});

describe('docs/cli.md', () => {
  it('lists every command, option and exit code', () => {
    for (const [name, command] of commandsOf(program)) {
      expect(DOCS).toContain(`\`${name}`);
      for (const { long, hidden } of command.options) {
        if (long !== undefined && long !== null && !hidden) expect(DOCS, `${name} ${long}`).toContain(long);
      }
    }
    for (const [code, meaning] of EXIT_CODES) expect(DOCS).toContain(`| ${code} | ${meaning} |`);
  });
});
