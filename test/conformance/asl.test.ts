/**
 * What AWS Step Functions does with small state machines (asl/cases): each case is a definition, an input, the answers of its tasks and
 * what must be seen of `trowel asl run`. `source` says where the fact comes from. `{"$repeat": [text, n]}` is that text n times.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { Json } from '../../lib/asl/types.ts';
import { runCommandLine } from '../../lib/cli/main.ts';
import { fakeTerminal } from '../lib/cli/fake-terminal.ts';
import { TROWEL } from '../trowel.ts';

interface Case {
  readonly about: string;
  readonly source: string;
  readonly definition: Json;
  readonly input?: Json;
  /** State → answers in turn. */
  readonly mocks?: { readonly [state: string]: Json };
  /** Waits take their time. */
  readonly waits?: boolean;
  /** `refused`: an error or a warning names a fault with its place. `accepted`: there is neither. */
  readonly check?: 'refused' | 'accepted';
  readonly expect?: {
    readonly status?: string;
    readonly output?: Json;
    /** null: there is none. */
    readonly error?: string | null;
    readonly cause?: string | null;
    readonly cause_has?: string;
    /** Types of all events, in order. */
    readonly events?: readonly string[];
    /** Id of an event → that of the one it follows. */
    readonly previous?: { readonly [id: string]: number };
    /** Type → fields of the details of one event of it. */
    readonly event_has?: { readonly [type: string]: object };
    readonly last_event?: { readonly id: number; readonly type: string };
    /** Least and most; what it takes under load is not tested, so only the least counts here. */
    readonly seconds?: readonly [number, number];
  };
}

interface Event {
  readonly id: number;
  readonly previousEventId: number;
  readonly type: string;
  readonly execution?: object;
  readonly [details: string]: unknown;
}

const folder = join(import.meta.dirname, 'asl', 'cases');
const names = (await readdir(folder)).map((file) => file.replace(/\.json$/, '')).sort();

it.concurrent.each(names)('%s', async (name) => {
  const each = JSON.parse(await readFile(join(folder, `${name}.json`), 'utf8')) as Case;
  const { code, stdout, stderr, seconds } = await runCase(each);
  const told = `${each.about} (${each.source})\n${stdout.slice(-2000)}\n${stderr}`;
  if (each.check === 'refused') expect(stderr, told).toMatch(/^(\s+|warning [\w-]+: )\//m);
  if (each.check === 'accepted') expect(stderr, told).toBe('');
  if (each.expect === undefined) return;

  const lines = stdout.trimEnd().split('\n');
  const events = lines.filter((line) => line.startsWith('{"id":')).map((line) => JSON.parse(line) as Event);
  const own = events.filter(({ execution }) => execution === undefined);
  const result = JSON.parse(lines.slice(events.length).join('\n')) as { [field: string]: Json };
  expect(code, told).toBe(result.status === 'SUCCEEDED' ? 0 : 1);

  const { status, error, cause, cause_has, previous = {}, event_has = {}, last_event } = each.expect;
  if (status !== undefined) expect(result.status, told).toBe(status);
  if ('output' in each.expect) expect(result.output, told).toEqual(each.expect.output);
  if (error !== undefined) expect(result.error ?? null, told).toBe(error);
  if (cause !== undefined) expect(result.cause ?? null, told).toBe(cause);
  if (cause_has !== undefined) expect(result.cause, told).toContain(cause_has);
  if (each.expect.events !== undefined) {
    expect(own.map(({ type }) => type)).toEqual(each.expect.events);
    expect(own.map(({ id }) => id)).toEqual(own.map((_, index) => index + 1));
  }
  for (const [id, before] of Object.entries(previous)) {
    expect(own.find((event) => event.id === Number(id))?.previousEventId, `#${id} ${told}`).toBe(before);
  }
  for (const [type, fields] of Object.entries(event_has)) {
    expect(own.filter((event) => event.type === type).map(detailsOf)).toContainEqual(expect.objectContaining(fields));
  }
  if (last_event !== undefined) expect(own.at(-1), told).toMatchObject(last_event);
  if (each.expect.seconds !== undefined) expect(seconds).toBeGreaterThanOrEqual(each.expect.seconds[0]);
});

function detailsOf(event: Event): unknown {
  return Object.entries(event).find(([field]) => field.endsWith('EventDetails'))?.[1];
}

function expanded(value: Json): Json {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(expanded);
  const { $repeat: repeat } = value as { readonly $repeat?: readonly [string, number] };
  if (repeat !== undefined) return repeat[0].repeat(repeat[1]);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, expanded(item)]));
}

type Ran = { readonly code: number; readonly stdout: string; readonly stderr: string };

/** The command, as a user calls it. */
function inItsOwn(cwd: string, args: readonly string[]): Promise<Ran> {
  return new Promise((resolve) => {
    execFile(process.execPath, [TROWEL, ...args], { cwd }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code ?? 1), stdout, stderr });
    });
  });
}

/** Without the start of a process for each: nothing but the machine is asked about. */
async function inThisProcess(cwd: string, args: readonly string[]): Promise<Ran> {
  const terminal = fakeTerminal({ cwd });
  const code = await runCommandLine(args, '', terminal);
  return { code, stdout: terminal.stdout.text, stderr: terminal.stderr.text };
}

async function runCase(each: Case): Promise<{ code: number; stdout: string; stderr: string; seconds: number }> {
  const cwd = await mkdtemp(join(tmpdir(), 'asl-'));
  try {
    await writeFile(join(cwd, 'machine.json'), JSON.stringify(each.definition));
    await writeFile(join(cwd, 'in.json'), JSON.stringify(expanded(each.input ?? {})));
    const args = ['asl', 'run', 'machine.json', '--input', '@in.json', '--events'];
    for (const [index, [state, answers]] of Object.entries(each.mocks ?? {}).entries()) {
      await writeFile(join(cwd, `mock${index}.json`), JSON.stringify(expanded(answers)));
      args.push('--mock', `${state}=mock${index}.json`);
    }
    if (!each.waits) args.push('--skip-waits');
    const start = performance.now();
    const ran = each.check === undefined ? await inThisProcess(cwd, args) : await inItsOwn(cwd, args);
    return { ...ran, seconds: (performance.now() - start) / 1000 };
  } finally {
    await rm(cwd, { recursive: true, force: true });
  }
}
