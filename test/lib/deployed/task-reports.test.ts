import { describe, expect, it } from 'vitest';
import { REPORTS_PART } from '../../../lib/contract/report.ts';
import { TaskReports } from '../../../lib/deployed/task-reports.ts';

const PLACE = 's3://b/attempts/main/run/results/+main+a.0-0.reports';
const TIME = '2030-01-01T00:00:00.000Z';

/** Objects by the number of their part; `read` as S3 answers. */
function reader(parts: { [part: number]: string }) {
  const asked: string[] = [];
  const reports = new TaskReports(
    {
      async read(uri, from) {
        asked.push(`${uri.replace(PLACE, '')} ${from}`);
        const bytes = Buffer.from(parts[Number(/(\d+)\.jsonl$/.exec(uri)?.[1])] ?? '');
        return from < bytes.length ? bytes.subarray(from) : undefined;
      },
    },
    PLACE,
    '+main+a',
  );
  const data = async () => (await reports.read())?.map((event) => event.data);
  return { reports, data, asked };
}

const line = (data: unknown, more: object = {}): string =>
  `${JSON.stringify({ time: TIME, kind: 'k', level: 'info', data, ...more })}\n`;

describe('reports of a task', () => {
  it('are events of the task, with their own times', async () => {
    const { reports } = reader({ 1: line({ a: 1 }, { level: 'warning' }) + line('"x', { cut: 70_000 }) });
    const common = { type: 'task-report', time: TIME, task: '+main+a', kind: 'k' };
    expect(await reports.read()).toEqual([
      { ...common, level: 'warning', data: { a: 1 } },
      { ...common, level: 'info', data: '"x', cut: 70_000 },
    ]);
    expect(await reports.read()).toBeUndefined();
  });

  it('are read on from where the last question ended, and half a line with the rest of it', async () => {
    const parts = { 1: '' };
    const { data, asked } = reader(parts);
    expect(await data()).toBeUndefined();
    parts[1] += line('é') + line(2).slice(0, 20);
    expect(await data()).toEqual(['é']);
    expect(await data()).toBeUndefined();
    parts[1] += line(2).slice(20);
    expect(await data()).toEqual([2]);
    const first = Buffer.byteLength(line('é'));
    expect(asked).toEqual(['.1.jsonl 0', '.1.jsonl 0', `.1.jsonl ${first}`, `.1.jsonl ${first}`]);
  });

  it('go on in the next part when one is full', async () => {
    const full = line(1).repeat(Math.ceil(REPORTS_PART / line(1).length));
    const parts: { [part: number]: string } = { 1: full };
    const { data } = reader(parts);
    expect(await data()).toHaveLength(full.length / line(1).length);
    expect(await data()).toBeUndefined();
    parts[2] = line('last');
    expect(await data()).toEqual(['last']);
    expect(await data()).toBeUndefined();
  });

  it('are only what the runner writes', async () => {
    const { data } = reader({ 1: `{\n[]\n1\nnull\n${line(1, { level: 'loud' })}${line(1, { time: 1 })}${line(2)}` });
    expect(await data()).toEqual([2]);
  });
});
