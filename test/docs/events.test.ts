import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import type { RunEvent } from '../../lib/events/run-event.ts';
import type { OperatorSpec } from '../../lib/language/operators/spec.ts';
import { OPERATORS } from '../../lib/language/operators.ts';
import { lastUnsuccessful } from '../../lib/local/history/attempts.ts';
import { sequence, type TestTask } from '../lib/local/machines.ts';
import { runIn, sessionFunction } from '../lib/local/project.ts';
import { temporary } from '../lib/local/temporary.ts';

/** The fields of each type by the table of docs/events.md; a name with `?` may be absent. */
function documented(): Map<string, string[]> {
  const text = readFileSync(join(import.meta.dirname, '../../docs/events.md'), 'utf8');
  const rows = [...text.matchAll(/^\| `([a-z-]+)` \| (.*?) \| /gm)];
  // What stands in parentheses are values.
  const names = (cell: string): string[] =>
    [...cell.replace(/\([^)]*\)/g, '').matchAll(/`(\w+\??)`/g)].map(([, name = '']) => name);
  return new Map(rows.map(([, type = '', cell = '']) => [type, names(cell)]));
}

function faults(event: RunEvent, types: Map<string, string[]>): string[] {
  const fields = types.get(event.type);
  if (fields === undefined) return [`${event.type} is not documented`];
  const { type: _, time, ...given } = event;
  const found = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(time) ? [] : [`time ${time}`];
  for (const name of Object.keys(given)) {
    if (!fields.includes(name) && !fields.includes(`${name}?`)) found.push(`${event.type}.${name} is not documented`);
  }
  for (const name of fields) {
    if (!name.endsWith('?') && !(name in given)) found.push(`${event.type}.${name} is missing`);
  }
  return found;
}

/** A stand-in for an adapter, added to the runner by a module that the worker preloads; and an operator that it runs. */
const ADAPTED = {
  'paths.py':
    'import os, trowel_task.adapters as room\nroom.__path__.append(os.path.join(os.path.dirname(__file__), "standins"))\n',
  'standins/standin.py':
    'def run(host):\n    host.report("asset", {"key": "a"}, "warning")\n    host.report("text", "x" * 70000)\n    host.fail("no", 3)\n',
};

function addOperator(): void {
  const operators = OPERATORS as { [name: string]: OperatorSpec };
  operators.standin = { ...(operators.py as OperatorSpec & { kind: 'container' }), adapter: 'standin' };
  onTestFinished(() => void delete operators.standin);
}

it('real runs have every documented event, and no other field', async () => {
  const types = documented();
  const project = await temporary({ 'tasks.py': 'def boom():\n    raise ValueError("x")\n', ...ADAPTED });
  addOperator();
  const task = (name: string, op: string, command: string): TestTask => ({
    name,
    op,
    keys: { [`${op}>`]: command, _command: command },
    retry: [{ ErrorEquals: ['Trowel.TaskFailed'], IntervalSeconds: 1, MaxAttempts: 1 }],
  });
  const compiled = sequence([task('+main+a', 'sh', 'echo hello'), task('+main+b', 'py', 'tasks.boom')]);
  const first = await runIn(project, compiled, {
    functions: (context) => {
      context.notice('told');
      return { session: sessionFunction };
    },
  });
  const resume = lastUnsuccessful(join(project, '.trowel'), 'main');
  const second = await runIn(project, compiled, { ...(resume && { resume }) });
  const third = await runIn(project, sequence([task('+main+c', 'standin', 'x')]), {
    host: { python: { preload: ['paths'] } },
  });
  for (const { events } of [first, second, third]) {
    expect([events[0]?.type, events.at(-1)?.type]).toEqual(['run-started', 'run-ended']);
  }
  const events = [...first.events, ...second.events, ...third.events];
  expect(events.flatMap((event) => faults(event, types))).toEqual([]);
  expect([...new Set(events.map(({ type }) => type))].sort()).toEqual([...types.keys()].sort());
  for (const [type, fields] of types) {
    for (const field of fields) {
      const name = field.replace('?', '');
      expect(
        events.some((event) => event.type === type && name in event),
        `${type}.${name} in some event`,
      ).toBe(true);
    }
  }
});
