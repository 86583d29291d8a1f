import { describe, expect, it } from 'vitest';
import { apply, newRunView, type RunView } from '../../../lib/events/run-view.ts';

const time = '2026-01-01T00:00:00.000Z';

function play(view: RunView, task: string, ends: 'succeeded' | 'failed' | undefined): void {
  apply(view, { type: 'task-started', time, task, operator: 'echo', try: 1 });
  if (ends === 'succeeded') apply(view, { type: 'task-succeeded', time, task, seconds: 1 });
  if (ends === 'failed')
    apply(view, { type: 'task-failed', time, task, seconds: 1, error: 'Trowel.TaskFailed', message: 'no' });
}

const name = (i: number): string => `+main+l^sub+loop-${i}`;

describe('the view of a run with very many tasks', () => {
  it('counts each task once, also one that runs again', () => {
    const view = newRunView();
    for (let i = 0; i < 3000; i += 1) play(view, name(i), 'succeeded');
    expect(view.root).toMatchObject({ done: 3000, running: 0, failed: 0 });
    play(view, name(2500), undefined);
    expect(view.root).toMatchObject({ done: 2999, running: 1, failed: 0 });
    play(view, name(2500), 'failed');
    play(view, name(2501), 'succeeded');
    expect(view.root).toMatchObject({ done: 2999, running: 0, failed: 1 });
    expect([...view.failures.keys()]).toEqual([name(2500)]);
  });
});
