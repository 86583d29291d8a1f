/** What npm would publish, as a user gets it: installed from the tarball into an empty folder, without a network and far from the repository. */
import { lstatSync, mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { type Result, start, userEnv } from '../examples/example.ts';
import { serve } from '../lib/functions/http/server.ts';
import { testPython } from '../python.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const base = realpathSync(mkdtempSync(join(tmpdir(), 'trowel-package-')));
const app = join(base, 'app');
const installed = join(app, 'node_modules/trowel');
const env = userEnv(join(base, 'home'));

interface Packed {
  readonly filename: string;
  readonly size: number;
  readonly unpackedSize: number;
  readonly files: readonly { readonly path: string }[];
}

let packed: Packed;

/** A command line in a folder of the application. */
function shell(line: string, folder = '.'): Promise<Result> {
  return start('sh', ['-c', line], { cwd: join(app, folder), env });
}

beforeAll(async () => {
  for (const folder of ['home', 'app']) await mkdir(join(base, folder));
  // dist/ is built; building it again would take it away from other tests.
  const pack = await start('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', base], {
    cwd: ROOT,
    env,
  });
  expect(pack.code, pack.stderr).toBe(0);
  [packed] = JSON.parse(pack.stdout);
  const install = await shell(`npm install --offline --no-audit --no-fund ../${packed.filename}`);
  expect(install.code, install.stderr).toBe(0);
});

afterAll(() => rmSync(base, { recursive: true, force: true, maxRetries: 5 }));

/** Everything that may be in the package; tests, TypeScript and what tests leave behind may not. */
const ALLOWED = [
  /^(package\.json|README\.md|LICENSE|CHANGELOG\.md)$/,
  /^dist\/((trowel|cloud)\.js|types\/lib\/[\w/-]+\.d\.ts|THIRD-PARTY-LICENSES\.txt|chunks\/[\w.-]+\.js(\.LEGAL\.txt)?)$/,
  /^dist\/lambdas\/([\w-]+\/index|chunks\/[\w-]+)\.mjs$/,
  /^dist\/lambdas\/sandbox\/(thread\.cjs|quickjs\.wasm|image\.bin)$/,
  /^docs\/([\w-]+\.md|pictures\/[\w-]+\.svg)$/,
  /^schemas\/(dig|trowel)\.schema\.json$/,
  /^task-images\/python\/(Dockerfile|pyproject\.toml|build_wheel\.py|src\/trowel_task\/((\w+\/)?\w+\.py|py\.typed)|src\/digdag-stubs\/__init__\.pyi)$/,
  /^templates\/project\/[\w./-]+$/,
];

describe('the package', () => {
  it('runs nothing when it is installed', async () => {
    const { scripts } = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'));
    const atInstall = ['preinstall', 'install', 'postinstall', 'prepare'];
    expect(Object.keys(scripts).filter((name) => atInstall.includes(name))).toEqual([]);
  });

  it('holds what is needed and nothing else', () => {
    const paths = packed.files.map(({ path }) => path);
    expect(paths.filter((path) => !ALLOWED.some((pattern) => pattern.test(path)))).toEqual([]);
    expect(paths).toEqual(
      expect.arrayContaining([
        ...['LICENSE', 'dist/trowel.js', 'dist/THIRD-PARTY-LICENSES.txt', 'docs/cli.md', 'schemas/dig.schema.json'],
        ...[
          'task-images/python/src/trowel_task/host/worker.py',
          'templates/project/gitignore',
          'templates/project/main.dig',
        ],
      ]),
    );
    expect(paths.filter((path) => /(?<!\.d)\.tsx?$|\.pyc$|(^|\/)(tests?|\.trowel|__pycache__)\//.test(path))).toEqual(
      [],
    );
    expect(packed.size).toBeLessThan(3_500_000);
    expect(packed.unpackedSize).toBeLessThan(10_500_000);
  });

  it('needs no other package', async () => {
    const { dependencies, bin } = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'));
    expect(dependencies).toBeUndefined();
    expect(bin).toEqual({ trowel: 'dist/trowel.js' });
    expect((await readdir(join(app, 'node_modules'))).filter((name) => !name.startsWith('.'))).toEqual(['trowel']);
    expect(lstatSync(installed).isSymbolicLink()).toBe(false);
  });

  it('has the licences of all that is bundled', async () => {
    const text = readFileSync(join(installed, 'dist/THIRD-PARTY-LICENSES.txt'), 'utf8');
    for (const name of [
      ...['@aws-sdk/client-s3', '@jitl/quickjs-wasmfile-release-sync', '@smithy/core', 'acorn', 'commander', 'jsonata'],
      ...['moment', 'nodemailer', 'picocolors', 'quickjs-emscripten-core', 'undici', 'yaml', 'zod'],
    ]) {
      expect(text).toMatch(new RegExp(`^${name} [\\d.]+ \\([\\w.-]+\\)$`, 'm'));
    }
    for (const part of ['Apache License', 'Permission is hereby granted', 'Permission to use, copy, modify']) {
      expect(text).toContain(part);
    }
    // What carries its licence in a comment has it beside its chunk too.
    const chunks = await readdir(join(installed, 'dist/chunks'));
    const legal = chunks.filter((name) => name.endsWith('.LEGAL.txt'));
    expect(legal.length).toBeGreaterThan(0);
    for (const name of legal) expect(chunks).toContain(name.replace('.LEGAL.txt', ''));
  });
});

describe('a new user', () => {
  it('makes a project, and every printed step works', async () => {
    expect((await shell('npx trowel --version')).stdout).toBe('0.1.0\n');
    const made = await shell('npx trowel init my_project');
    expect(made.code, made.stderr).toBe(0);
    const [, steps = ''] = /\nNext:\n([\s\S]*?)\n\n/.exec(made.stdout) ?? [];
    expect(steps).toBe('  cd my_project\n  npx trowel run main.dig\n  npx trowel check');
    const ran = await shell(steps.trim().split('\n').join(' && '));
    expect(ran.code, ran.stderr).toBe(0);
    expect(ran.stdout).toMatch(/^Sold up to \d{4}-\d\d-\d\d: \{"apples":305,"pears":235\}$/m);
    expect(ran.stdout).toContain('Project my-project, time zone UTC');
    expect(ran.stderr).not.toMatch(/warning|notice {2}/);
    expect(readFileSync(join(app, 'my_project/.gitignore'), 'utf8')).toMatch(/^\.trowel\/$/m);
    const manifest = JSON.parse(readFileSync(join(app, 'my_project/package.json'), 'utf8'));
    expect(manifest).toMatchObject({
      name: 'my-project',
      devDependencies: { 'aws-cdk': '2.1148.1', trowel: `file:../../${packed.filename}` },
    });

    // Every command of the project's README and its scripts.
    const readme = readFileSync(join(app, 'my_project/README.md'), 'utf8');
    const [, block = ''] = /```\n([\s\S]*?)```/.exec(readme) ?? [];
    const commands = block.trim().split('\n');
    expect(commands.length).toBeGreaterThan(2);
    // pytest is not Python's own, and there is none here but in the tests' environment.
    const tested = await start(testPython(), ['-m', 'pytest', '-q'], { cwd: join(app, 'my_project'), env });
    expect(tested.code, tested.stdout).toBe(0);
    expect(tested.stdout).toContain('2 passed');
    for (const command of [...commands, 'npm start', 'npm test', 'npm run check', 'python3 -m tasks.data']) {
      const done = await shell(command, 'my_project');
      expect(done.code, `${command}\n${done.stderr}`).toBe(0);
    }
    for (const [, path = ''] of readme.matchAll(/^\| `([^`]+)`/gm)) {
      expect(() => lstatSync(join(app, 'my_project', path)), path).not.toThrow();
    }
  });

  it('makes the folder of the installation itself a project, its package.json completed', async () => {
    const before = JSON.parse(readFileSync(join(app, 'package.json'), 'utf8'));
    const made = await shell('npx trowel init');
    expect(made.code, made.stderr).toBe(0);
    expect(made.stdout).toContain('Added to package.json: aws-cdk 2.1148.1, ');
    const { scripts, devDependencies, ...rest } = JSON.parse(readFileSync(join(app, 'package.json'), 'utf8'));
    expect(rest).toEqual(before);
    expect(scripts).toMatchObject({ start: 'trowel run main.dig' });
    expect(devDependencies).toEqual({ 'aws-cdk': '2.1148.1', 'aws-cdk-lib': '2.276.0', constructs: '10.8.1' });
    const ran = await shell(
      'npx trowel run main.dig && npx trowel run main.dig --dry-run && npx trowel check && ./run_test.sh',
    );
    expect(ran.code, ran.stderr).toBe(0);
    const again = await shell('npx trowel init');
    expect(again.code).toBe(2);
    expect(again.stderr).toMatch(/would overwrite cdk\.json, config\/params/);
  });

  it('is told commands that can be pasted', async () => {
    await mkdir(join(app, 'one'));
    const task = '+a:\n  sh>: test -n "$KEY"\n  _env: {KEY: "${secret:my.key}"}\n';
    await writeFile(join(app, 'one/trowel.yml'), '');
    await writeFile(join(app, 'one/main.dig'), task);
    const failed = await shell('npx trowel run main', 'one');
    expect(failed.code).toBe(1);
    const [, set = ''] = /Set it with: (.*)/.exec(failed.stderr) ?? [];
    const [, resume = ''] = /continue where it stopped: (.*)/.exec(failed.stderr) ?? [];
    expect([set, resume]).toEqual(['npx trowel secrets --local --set my.key', 'npx trowel run main --resume']);
    expect(await shell(`${set}=x && ${resume}`, 'one')).toMatchObject({ code: 0 });
  });

  it('reaches what is loaded late: the sandbox, HTTP, schemas, other commands', async () => {
    const { url, received, close } = await serve();
    onTestFinished(close);
    await mkdir(join(app, 'late'));
    await writeFile(
      join(app, 'late/main.dig'),
      `_export: {names: [a, b]}
+js:
  echo>: \${moment(session_time).add(1, 'days').format('YYYY-MM-DD')} \${names.map(function(n) { return n + n })}
+http:
  http>: ${url}
`,
    );
    const ran = await shell('npx trowel run main.dig --session 2030-01-31', 'late');
    expect(ran.code, ran.stderr).toBe(0);
    expect(ran.stdout).toContain('2030-02-01 ["aa","bb"]\n');
    expect(received).toHaveLength(1);
    for (const [command, text] of [
      ['compile main.dig', '"QueryLanguage": "JSONata"'],
      ['schema dig', '"$schema"'],
      ['schema trowel', '"$schema"'],
      ['log', '2030-02-01'],
      ['sessions', 'main'],
      ['secrets --local --list', ''],
      ['check --format json', '[]'],
      ['run --help', 'Example'],
    ] as const) {
      const done = await shell(`../node_modules/.bin/trowel ${command}`, 'late');
      expect(done.code, `${command}\n${done.stderr}`).toBe(0);
      expect(done.stdout).toContain(text);
    }
    await writeFile(
      join(app, 'late/machine.json'),
      '{"QueryLanguage": "JSONata", "StartAt": "A", "States": {"A": {"Type": "Pass", "Output": "{% $sum($states.input) %}", "End": true}}}',
    );
    const asl = await shell('../node_modules/.bin/trowel asl run machine.json --input "[1, 2]"', 'late');
    expect(JSON.parse(asl.stdout)).toMatchObject({ status: 'SUCCEEDED', output: 3 });
  });
});
