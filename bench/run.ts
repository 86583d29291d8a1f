/**
 * Times the command line as whole processes: `npm run bench [-- REPEATS]`. Each workflow runs in a fresh copy of this folder, in turn
 * with `python3 -c pass`, so that the figures can be compared across machines. Prints a table of medians; docs/performance.md
 * keeps one with its date.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { compile } from '../lib/compiler/compile.ts';
import { parseWorkflow } from '../lib/language/dig/parse-workflow.ts';

const ROOT = join(import.meta.dirname, '..');
const TROWEL = join(ROOT, 'dist', 'trowel.js');
const repeats = Number(process.argv[2] ?? 7);

process.env.CDK_VALIDATION = 'false';

interface Case {
  readonly name: string;
  /** Seconds that must not be passed, and what digdag 0.10.5.1 needs for the same. */
  readonly goal?: number;
  readonly digdag?: number;
  readonly command: readonly string[];
}

const run = (file: string): readonly string[] => [process.execPath, TROWEL, 'run', file];
/** As `npx cdk synth -c project=…` in a clone, without npx. The template's validation costs more than all else; the first run makes the bundle. */
function synth(example: string): readonly string[] {
  const [cdk, project] = ['node_modules/aws-cdk/bin/cdk', `examples/${example}`].map((path) => join(ROOT, path));
  const app = `${process.execPath} ${TROWEL} app`;
  return [process.execPath, cdk ?? '', 'synth', '--quiet', '--app', app, '-c', `project=${project}`];
}

const CASES: readonly Case[] = [
  { name: '`python3 -c pass`', command: ['python3', '-c', 'pass'] },
  { name: '`trowel --version`', goal: 0.12, command: [process.execPath, TROWEL, '--version'] },
  { name: 'one echo', goal: 0.35, digdag: 1.3, command: run('b1_echo.dig') },
  { name: '10 py> in sequence', goal: 0.6, digdag: 4.07, command: run('b2_py10.dig') },
  { name: '100 echo in sequence', goal: 0.5, digdag: 19.6, command: run('b3_echo100.dig') },
  { name: '50 py> in parallel', goal: 0.9, digdag: 3.05, command: run('b4_py50par.dig') },
  { name: 'for_each of 200 echo in parallel', goal: 0.7, digdag: 6.8, command: run('b5_foreach200.dig') },
  { name: 'for_each of 200 echo in sequence', command: run('b6_foreach200seq.dig') },
  { name: '20 py> that store', command: run('b7_store20.dig') },
  { name: '10,000 echo in sequence', command: run('b8_echo10000.dig') },
  { name: '`cdk synth` of the quickstart', goal: 2.5, command: synth('quickstart') },
];

/** Should run in 200 MiB. */
const MANY = Array.from({ length: 10_000 }, (_, i) => `+t${i}: {echo>: "${i}"}\n`).join('');

interface Sample {
  readonly wall: number;
  readonly mebibytes: number;
}

/** One run of the whole process; memory is the largest of its processes, by /usr/bin/time where there is one. */
function sample(command: readonly string[]): Sample {
  const folder = mkdtempSync(join(tmpdir(), 'bench-'));
  try {
    cpSync(import.meta.dirname, folder, { recursive: true, filter: (path) => !path.endsWith('.ts') });
    writeFileSync(join(folder, 'b8_echo10000.dig'), MANY);
    const report = join(folder, 'time');
    const timed = spawnSync('/usr/bin/time', ['--version']).status === 0;
    const words = timed ? ['/usr/bin/time', '-f', '%M', '-o', report, ...command] : [...command];
    const began = process.hrtime.bigint();
    const { status, stderr } = spawnSync(words[0]!, words.slice(1), { cwd: folder, encoding: 'utf8' });
    const wall = Number(process.hrtime.bigint() - began) / 1e9;
    if (status !== 0) throw new Error(`${command.join(' ')}: ${stderr}`);
    return { wall, mebibytes: timed ? Number(readFileSync(report, 'utf8')) / 1024 : Number.NaN };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

/**
 * A py> task's own cost: 200 tasks in sequence against 100, whole processes, over what the function itself takes (nothing). What the runs leave
 * is removed when all are over: some file systems are slow for half a minute after much was deleted.
 */
function perTask(): number {
  const folder = mkdtempSync(join(tmpdir(), 'bench-'));
  try {
    const of = (count: number): string => {
      const file = join(folder, `n${count}.dig`);
      const tasks = Array.from({ length: count }, (_, i) => `+t${i}:\n  py>: quiet.nothing\n`);
      writeFileSync(file, tasks.join(''));
      return file;
    };
    writeFileSync(join(folder, 'quiet.py'), 'def nothing():\n    pass\n');
    let runs = 0;
    const wall = (file: string): number => {
      runs += 1;
      const began = process.hrtime.bigint();
      spawnSync(process.execPath, [TROWEL, 'run', file, '--save', `saved-${runs}`], { cwd: folder });
      return Number(process.hrtime.bigint() - began) / 1e9;
    };
    const [few, many] = [of(100), of(200)];
    return median(Array.from({ length: repeats }, () => (wall(many) - wall(few)) / 100));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Seconds from text to machine. */
function compiling(count: number): number {
  const text = Array.from({ length: count }, (_, i) => `+t${i}:\n  py>: tasks.trivial\n  n: ${i}\n`).join('');
  const began = process.hrtime.bigint();
  const { workflow } = parseWorkflow('main', 'main.dig', text);
  if (workflow === undefined) throw new Error('no workflow');
  const { compiled } = compile(workflow, { workflows: new Map([['main', workflow]]) });
  if (compiled === undefined) throw new Error('not compiled');
  return Number(process.hrtime.bigint() - began) / 1e9;
}

const samples = new Map<Case, Sample[]>(CASES.map((each) => [each, []]));
for (let round = 0; round <= repeats; round += 1) {
  // The first round fills the machine's caches and is not counted.
  for (const [each, list] of samples) {
    const one = sample(each.command);
    if (round > 0) list.push(one);
  }
}
const python = median((samples.get(CASES[0]!) ?? []).map(({ wall }) => wall));
const fixed = (value: number): string => value.toFixed(2);
console.log(
  `Node ${process.version}, ${cpus().length} cores (${cpus()[0]?.model.trim() ?? 'unknown'}), ${repeats} runs each, medians\n`,
);
console.log('| | seconds (min–max) | goal | times `python3 -c pass` | MiB | digdag |\n|---|---|---|---|---|---|');
for (const [{ name, goal, digdag }, list] of samples) {
  const walls = list.map(({ wall }) => wall);
  const wall = median(walls);
  const range = `${fixed(Math.min(...walls))}–${fixed(Math.max(...walls))}`;
  const memory = Math.max(...list.map(({ mebibytes }) => mebibytes));
  const cells = [
    name,
    `${fixed(wall)} (${range})`,
    goal ?? '',
    (wall / python).toFixed(1),
    Number.isNaN(memory) ? '' : memory.toFixed(0),
    digdag ?? '',
  ];
  console.log(`| ${cells.join(' | ')} |`);
}
console.log(`\nA py> task's own cost: ${(perTask() * 1000).toFixed(1)} ms (goal 5).`);
compiling(1000);
const thousand = median(Array.from({ length: repeats }, () => compiling(1000)));
const tenThousand = median(Array.from({ length: 3 }, () => compiling(10_000)));
console.log(
  `Compiling 1,000 tasks: ${fixed(thousand)} s (goal 0.5); 10,000: ${fixed(tenThousand)} s, ${(tenThousand / thousand).toFixed(1)} times that (goal 11).`,
);
