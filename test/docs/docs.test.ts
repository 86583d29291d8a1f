import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Command } from 'commander';
import { beforeAll, describe, expect, it } from 'vitest';
import { buildProgram } from '../../lib/cli/main.ts';
import { loadProject } from '../../lib/language/project.ts';
import { withTables } from '../../tools/write-reference.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const PAGES = [
  ...readdirSync(ROOT).filter((file) => file.endsWith('.md')),
  ...['docs', 'examples', 'templates'].flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.md') && !file.includes('node_modules'))
      .map((file) => join(folder, file)),
  ),
].sort();

interface Block {
  readonly language: string;
  /** Of the first line, `# main.dig`. */
  readonly name: string | undefined;
  readonly text: string;
}

const read = (page: string): string => readFileSync(join(ROOT, page), 'utf8');

function blocksOf(page: string): Block[] {
  return [...read(page).matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)].map(([, language = '', text = '']) => ({
    language,
    name: /^# (\S+\.\w+)\n/.exec(text)?.[1],
    text,
  }));
}

function proseOf(page: string): string {
  return read(page).replaceAll(/^```[\s\S]*?^```$/gm, '');
}

/** As GitHub makes anchors of headings. */
function anchorsOf(page: string): string[] {
  return [...proseOf(page).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  );
}

describe('links', () => {
  it.each(PAGES)('of %s lead to files and headings that are there', (page) => {
    const broken = [...proseOf(page).matchAll(/\]\(([^)\s]+)\)/g)]
      .map(([, target = '']) => target)
      .filter((target) => !/^https?:/.test(target))
      .filter((target) => {
        const [path = '', anchor] = target.split('#');
        const file = path === '' ? page : join(dirname(page), path);
        if (!existsSync(join(ROOT, file))) return true;
        return anchor !== undefined && !anchorsOf(file).includes(anchor);
      });
    expect(broken).toEqual([]);
  });

  it('of the index name every page', () => {
    const index = read('docs/README.md');
    const missing = readdirSync(join(ROOT, 'docs')).filter(
      (file) => file.endsWith('.md') && file !== 'README.md' && !index.includes(`(${file})`),
    );
    expect(missing).toEqual([]);
  });
});

describe('workflows', () => {
  const pages = PAGES.filter((page) => blocksOf(page).some(({ name }) => name?.endsWith('.dig')));

  it.each(pages)('in %s have no errors', async (page) => {
    const blocks = blocksOf(page).filter((block) => block.name !== undefined);
    const folder = mkdtempSync(join(tmpdir(), 'docs-'));
    try {
      for (const { name = '', text } of blocks) {
        const path = join(folder, name);
        expect(existsSync(path), `${name} stands twice in ${page}`).toBe(false);
        mkdirSync(dirname(path), { recursive: true });
        writeFileSync(path, text);
        if (text.includes('requirements.txt') || name === 'trowel.yml')
          writeFileSync(join(folder, 'constraints.txt'), '');
      }
      mkdirSync(join(folder, 'config'), { recursive: true });
      writeFileSync(join(folder, 'config', 'params.yml'), '{}\n');
      const project = await loadProject(folder);
      for (const { name = '' } of blocks) if (name.endsWith('.dig')) project.workflow(name.slice(0, -4));
      const errors = project.diagnostics.filter(({ severity }) => severity === 'error');
      expect(errors.map(({ message, span }) => `${span?.file}: ${message}`)).toEqual([]);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

describe('commands', () => {
  let program: Command;

  beforeAll(async () => {
    program = await buildProgram('0.0.0', async () => {});
  });

  /** `trowel …` in code, in a block or in a line; up to a pipe or the like. */
  function commandLines(page: string): string[] {
    const lines = blocksOf(page)
      .filter(({ language }) => language === '' || language === 'sh' || language === 'yaml')
      .flatMap(({ text }) => text.split('\n'));
    const inline = [...proseOf(page).matchAll(/`([^`\n]+)`/g)].map(([, code = '']) => code);
    return [...lines, ...inline].flatMap((line) => {
      const found = /(?:^|run: |&& )(?:npx )?(trowel(?= |$)[^|>&;#]*)/.exec(line.trim());
      return found?.[1] === undefined ? [] : [found[1].trim()];
    });
  }

  function unknownIn(line: string): string | undefined {
    const [, ...rest] = line.replaceAll(/'[^']*'|"[^"]*"/g, 'VALUE').split(/\s+/);
    let command = program;
    while (rest[0] !== undefined) {
      const next = command.commands.find((each) => each.name() === rest[0] || each.aliases().includes(rest[0] ?? ''));
      if (next === undefined) break;
      command = next;
      rest.shift();
    }
    if (command === program && rest[0] !== undefined && /^[a-z]+$/.test(rest[0])) return rest[0];
    const known = command.options.flatMap(({ short, long }) => [short, long]);
    return rest.find((word) => {
      if (/^--[a-z]/.test(word)) return !known.includes(word) && word !== '--help' && word !== '--version';
      if (/^-[a-zA-Z]+$/.test(word))
        return [...word.slice(1)].some((letter) => !known.includes(`-${letter}`) && letter !== 'h');
      return false;
    });
  }

  it.each(PAGES)('in %s exist, and their options too', (page) => {
    const faults = commandLines(page).flatMap((line) => {
      const unknown = unknownIn(line);
      return unknown === undefined ? [] : [`${unknown} in: ${line}`];
    });
    expect(faults).toEqual([]);
  });

  it('are found at all', () => {
    expect(commandLines('docs/secrets.md')).toContain('trowel secrets --local --set db.password');
    expect(unknownIn('trowel run main.dig --resumee')).toBe('--resumee');
    expect(unknownIn('trowel rum main.dig')).toBe('rum');
  });
});

describe('what is made', () => {
  it.each(['docs/operators.md', 'docs/trowel-yml.md'])(
    '%s has the tables of the program (write-reference.ts)',
    async (page) => {
      expect(read(page)).toBe(await withTables(read(page)));
    },
  );

  it('the command line page lists every right that a command needs', () => {
    const page = read('docs/cli.md');
    const asked = readdirSync(join(ROOT, 'lib/deployed'), { encoding: 'utf8' }).flatMap((file) =>
      [...read(join('lib/deployed', file)).matchAll(/asking\('(\w+:\w+)'/g)].map(([, right = '']) => right),
    );
    expect(asked.length).toBeGreaterThan(20);
    expect(asked.filter((right) => !page.includes(`\`${right}\``))).toEqual([]);
  });

  it('the reference has a section for every operator', async () => {
    const { OPERATORS } = await import('../../lib/language/operators.ts');
    const anchors = anchorsOf('docs/operators.md');
    expect(Object.keys(OPERATORS).filter((name) => !anchors.includes(name))).toEqual([]);
  });

  it('the graph of the quickstart is that of its workflow (tools/draw-pictures.ts)', () => {
    const drawn = execFileSync(
      process.execPath,
      ['--import', 'tsx', 'tools/draw-pictures.ts', 'graph', 'examples/quickstart', 'main'],
      { cwd: ROOT, encoding: 'utf8' },
    );
    expect(read('docs/pictures/quickstart.svg')).toBe(drawn);
  });
});
