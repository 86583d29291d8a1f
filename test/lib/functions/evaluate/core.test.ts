import { describe, expect, it } from 'vitest';
import type { LoopItem, Page, Payload } from '../../../../lib/contract/payload.ts';
import { valuesIn } from '../../../../lib/contract/values.ts';
import { evaluate } from '../../../../lib/functions/evaluate/core.ts';
import type { Mapping, Value } from '../../../../lib/language/workflow.ts';

function payload(op: string, k: Mapping, l: Payload['l'] = [{ n: 2, list: ['x', 'y'], yes: true }]): Payload {
  return { v: 1, t: '+main+t', l, b: { vars: { timezone: 'UTC' }, attempt: { root: 'r', workflow: 'main' } }, k, op };
}

describe('evaluate', () => {
  it.each<[string, Mapping, object]>([
    ['echo', { 'echo>': 'n is ${n + 1}, ${task_name}' }, { text: 'n is 3, +main+t' }],
    ['echo', { _type: 'echo', _command: 5 }, { text: '5' }],
    ['if', { 'if>': '${n == 2}' }, { v: true }],
    ['if', { 'if>': '${this.none}' }, { v: false }],
    ['loop', { 'loop>': '${n}' }, { items: 2 }],
    ['loop', { 'loop>': 0, _parallel: '${yes}' }, { items: 0, parallel: -1 }],
    [
      'for_each',
      { 'for_each>': { v: '${list}' }, _parallel: { limit: '${n}' } },
      {
        items: [
          { n: '+for-0=v=0=x', x: { v: 'x' } },
          { n: '+for-0=v=1=y', x: { v: 'y' } },
        ],
        parallel: 2,
      },
    ],
    [
      'for_range',
      { 'for_range>': { from: 0, to: '${n}', step: 5 }, _parallel: false },
      {
        items: [{ n: '+range-from=0&to=2', x: { range: { from: 0, to: 2, index: 0 } } }],
        parallel: 0,
      },
    ],
    ['wait', { 'wait>': '${n}m' }, { seconds: 120 }],
    ['call', { 'call>': 'part-${n}', _workdir: 'sub' }, { file: 'sub/part-2.dig' }],
    [
      'aws',
      { 'aws>': 'athena:${n}', parameters: { a: '${list[0]}' } },
      {
        k: { 'aws>': 'athena:2', parameters: { a: 'x' }, _command: 'athena:2' },
      },
    ],
    ['keys', { a: '${n}' }, { k: { a: '2' } }],
  ])('%s> %j', async (op, keys, expected) => {
    expect(await evaluate(payload(op, keys))).toEqual(expected);
  });

  it.each([
    ['no ${n}', 'no 2'],
    [null, ''],
  ])('answers fail> %j with the failure', async (text, message) => {
    await expect(evaluate(payload('fail', { 'fail>': text }))).rejects.toMatchObject({
      name: 'Trowel.TaskFailed',
      message,
    });
  });

  it.each<[string, Mapping, string, string]>([
    [
      'echo',
      { 'echo>': '${nope}' },
      'Trowel.Template',
      'Failed to evaluate a variable ${nope} (ReferenceError: nope is not defined) (config)',
    ],
    [
      'echo',
      { 'echo>': { a: 1 } },
      'Trowel.BadInput',
      `Expected string type for key '_command' but got {"a":1} (object) (config)`,
    ],
    [
      'if',
      { 'if>': '${n}' },
      'Trowel.BadInput',
      `Expected 'true' or 'false' for key '_command' but got "2" (string) (config)`,
    ],
    [
      'loop',
      { 'loop>': '1', _parallel: '${list}' },
      'Trowel.BadInput',
      `Expected 'true' or 'false' for key '_parallel' but got "[\\"x\\",\\"y\\"]" (string) (config)`,
    ],
  ])('%s> %j fails', async (op, keys, name, message) => {
    await expect(evaluate(payload(op, keys))).rejects.toMatchObject({ name, message });
  });

  it('writes many iterations as pages, and reads a stored list element by element', async () => {
    const files = new Map<string, Buffer>();
    const values = valuesIn(
      {
        read: async (_root, name) => files.get(name),
        write: async (_root, name, content) => void files.set(name, content),
      },
      [''],
    );
    const large = 'x'.repeat(40_000);
    const rows: Value[] = Array.from({ length: 2500 }, (_, i) => ({ name: `"[${i}]`, pad: i === 7 ? large : '' }));
    const stored = await values.write(rows);
    const i = { few: 300, size: 100, fan: 4, width: -1 };
    const asked = { ...payload('for_each', { 'for_each>': { row: '${rows}' } }, [{ rows: stored }]), i };
    const { items } = (await evaluate(asked, values)) as { items: { page: Mapping } };
    const all: LoopItem[] = [];
    const read = async (page: Mapping): Promise<void> => {
      const { how, of } = (await evaluate(payload('page', { page }, []), values)) as Page;
      expect(of.length).toBeLessThanOrEqual(how === 'items' ? 100 : 4);
      if (how === 'items') all.push(...of);
      else for (const each of of) await read(each);
    };
    await read(items.page);
    expect(all.map(({ x }) => (x.row as Mapping).name ?? '')).toEqual(
      rows.map((row, at) => (at === 7 ? '' : (row as Mapping).name)),
    );
    expect(all[9]?.n).toBe('+for-0=row=9=%7B%22name%22%3A');
    expect(all[7]?.x.row).toEqual({ 'trowel:map': [expect.objectContaining({ kind: 'json' })] });
    expect(await evaluate({ ...payload('loop', { 'loop>': '${to}' }, [{ to: 300 }]), i }, values)).toEqual({
      items: 300,
    });
  });

  it('never evaluates data', async () => {
    expect(await evaluate(payload('echo', { 'echo>': '${d}' }, [{ d: '${1 + 1}' }]))).toEqual({ text: '${1 + 1}' });
  });
});
