/** What docs/events.md says of events. Covers lib/events/run-event.ts, lib/cli/actions/run.ts. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { RunEvent } from '../../../lib/events/run-event.ts';
import { project, trowel } from './run-cli.ts';

type Kind = 'text' | 'time' | 'number' | 'true' | 'json';

/** The schema of docs/events.md: fields by type; a name with `?` may be absent. */
const SCHEMA: { readonly [type in RunEvent['type']]: { readonly [field: string]: Kind } } = {
  'run-started': {
    workflow: 'text',
    session_time: 'text',
    attempt: 'number',
    session: 'number',
    directory: 'text',
    'resumes?': 'number',
  },
  notice: { message: 'text' },
  'task-started': { task: 'text', operator: 'text', 'at?': 'text', try: 'number' },
  'task-output': { task: 'text', text: 'text' },
  'task-report': { task: 'text', kind: 'text', level: 'text', data: 'json', 'cut?': 'number' },
  'task-retrying': { task: 'text', seconds: 'number', error: 'text', message: 'text' },
  'task-succeeded': { task: 'text', seconds: 'number', 'replayed?': 'true' },
  'task-failed': {
    task: 'text',
    seconds: 'number',
    error: 'text',
    message: 'text',
    'stacktrace?': 'text',
    'log?': 'text',
    'exit?': 'number',
  },
  'run-ended': { status: 'text', seconds: 'number', 'error?': 'text', 'message?': 'text' },
};

const CHECKS: { readonly [kind in Kind]: (value: unknown) => boolean } = {
  text: (value) => typeof value === 'string',
  time: (value) => typeof value === 'string' && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(value),
  number: (value) => typeof value === 'number' && Number.isFinite(value) && value >= 0,
  true: (value) => value === true,
  json: (value) => value !== undefined,
};

function faultsOf(event: { readonly [key: string]: unknown }): string[] {
  const fields = SCHEMA[event.type as RunEvent['type']];
  if (fields === undefined) return [`unknown type ${event.type}`];
  const expected: { [field: string]: Kind } = { type: 'text', time: 'time', ...fields };
  const known = Object.keys(expected).map((field) => field.replace('?', ''));
  const extra = Object.keys(event).filter((field) => !known.includes(field));
  const wrong = Object.entries(expected).filter(([field, kind]) => {
    const name = field.replace('?', '');
    return name in event ? !CHECKS[kind](event[name]) : !field.endsWith('?');
  });
  return [...extra.map((field) => `extra ${field}`), ...wrong.map(([field]) => `wrong ${field}`)].map(
    (fault) => `${fault} in ${JSON.stringify(event)}`,
  );
}

const files = {
  'main.dig': `
+a:
  py>: t.a
+p:
  _parallel: true
  +b:
    py>: t.b
    _retry: 1
  +c:
    echo>: c
`,
  't.py': 'def a():\n  print("one\\ntwo")\ndef b():\n  raise ValueError("b")\n',
};

describe('--json', () => {
  it('prints events of the documented schema, and nothing else on standard output', async () => {
    const cwd = await project(files);
    const failed = await trowel(['run', '--json'], { cwd });
    const resumed = await trowel(['run', '--json', '--resume'], { cwd });
    for (const { code, stderr, stdout } of [failed, resumed]) {
      expect({ code, stderr }).toEqual({ code: 1, stderr: '' });
      const events = stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line));
      expect(events.flatMap(faultsOf)).toEqual([]);
      expect(events[0].type).toBe('run-started');
      expect(events.at(-1)).toMatchObject({ type: 'run-ended', status: 'failed' });
      expect(events.some(({ type }) => type === 'task-retrying')).toBe(true);
    }
    expect(resumed.stdout).toContain('"replayed":true');
    const printed = failed.stdout.split('\n').filter((line) => /task-output.*\+main\+a"/.test(line));
    expect(printed.map((line) => JSON.parse(line).text).join('')).toBe('one\ntwo\n');
  });

  it('is documented', () => {
    const docs = readFileSync(new URL('../../../docs/events.md', import.meta.url), 'utf8');
    for (const [type, fields] of Object.entries(SCHEMA)) {
      const row = docs.split('\n').find((line) => line.startsWith(`| \`${type}\` |`));
      for (const field of Object.keys(fields)) expect(row, type).toContain(`\`${field}\``);
    }
  });
});
