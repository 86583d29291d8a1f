/** Times `trowel check` of a project with 200 py> tasks in 200 files: `node --import tsx bench/check.ts [REPEATS]`, after `node build.mjs`. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const TROWEL = join(import.meta.dirname, '..', 'dist', 'trowel.js');
const repeats = Number(process.argv[2] ?? 7);
const folder = mkdtempSync(join(tmpdir(), 'bench-check-'));
const cache = join(folder, 'cache');
const project = join(folder, 'project');
mkdirSync(join(project, 'tasks'), { recursive: true });
const helpers = Array.from(
  { length: 5 },
  (_, i) => `\n\ndef helper${i}(a, b):\n    return json.dumps({"a": [a for _ in range(b)]})\n`,
);
for (let i = 0; i < 200; i++) {
  const text = `import json\nimport os\n\n\ndef f(name, count=1):\n    print(name, count)\n${helpers.join('')}`;
  writeFileSync(join(project, 'tasks', `m${i}.py`), text);
}
const tasks = Array.from({ length: 200 }, (_, i) => `+t${i}:\n  py>: tasks.m${i}.f\n  name: n${i}\n`);
writeFileSync(join(project, 'main.dig'), tasks.join(''));

function seconds(command: readonly string[]): number {
  const began = process.hrtime.bigint();
  const { status, stderr } = spawnSync(command[0]!, command.slice(1), {
    cwd: project,
    env: { ...process.env, XDG_CACHE_HOME: cache },
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(stderr);
  return Number(process.hrtime.bigint() - began) / 1e9;
}

const median = (values: readonly number[]): string =>
  ([...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN).toFixed(2);
const check = [process.execPath, TROWEL, 'check'];
const rounds = Array.from({ length: repeats }, () => {
  rmSync(cache, { recursive: true, force: true });
  return { python: seconds(['python3', '-c', 'pass']), first: seconds(check), again: seconds(check) };
});
rmSync(folder, { recursive: true, force: true });
console.log(`python3 -c pass: ${median(rounds.map(({ python }) => python))} s`);
console.log(`check of 200 py> tasks: ${median(rounds.map(({ first }) => first))} s (goal 0.6)`);
console.log(`again, nothing changed: ${median(rounds.map(({ again }) => again))} s (goal 0.3)`);
