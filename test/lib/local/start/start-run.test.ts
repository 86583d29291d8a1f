/** As a page would: nothing is imported of the folders above lib/local (test/imports.test.ts checks it). */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { RunEvent } from '../../../../lib/events/run-event.ts';
import { apply, newRunView } from '../../../../lib/events/run-view.ts';
import type { RunRequest, RunServices } from '../../../../lib/local/start/run-request.ts';
import { type RefusedRun, type StartedRun, startRun } from '../../../../lib/local/start/start-run.ts';
import { temporary } from '../temporary.ts';

const FILES = {
  'main.dig': '+load:\n  sh>: echo loading\n+report:\n  sh>: test -e ok && echo "region ${region}"\n',
  'trowel.yml': 'params: [params.yml]\n',
  'params.yml': 'region: eu\n',
};

async function start(
  folder: string,
  request: Partial<RunRequest> = {},
  services: RunServices = {},
): Promise<StartedRun | RefusedRun> {
  const env = { ...process.env, XDG_CONFIG_HOME: join(folder, 'config'), XDG_CACHE_HOME: join(folder, 'cache') };
  return startRun({ folder, session: '2030-01-31', ...request }, { env, ...services });
}

async function watch(started: StartedRun | RefusedRun) {
  if (started.refused !== undefined) throw started.fault ?? new Error(JSON.stringify(started.diagnostics));
  const view = newRunView(started.outline);
  const events: RunEvent[] = [];
  for await (const event of started.events) {
    apply(view, event);
    events.push(event);
  }
  const output = events.flatMap((event) => (event.type === 'task-output' ? [event.text] : [])).join('');
  const kept = events.flatMap((event) => (event.type === 'task-succeeded' && event.replayed ? [event.task] : []));
  return { ...(await started.done), view, output, kept, outline: started.outline };
}

describe('startRun', () => {
  it('starts and watches a run, and resumes it after a failure', async () => {
    const folder = await temporary(FILES);
    const failed = await watch(await start(folder, { workflow: 'main.dig' }));
    expect(failed).toMatchObject({ status: 'failed', output: 'loading\n', outline: ['+main+load', '+main+report'] });
    expect(failed.view.root).toMatchObject({ done: 1, failed: 1 });

    writeFileSync(join(folder, 'ok'), '');
    const resumed = await watch(await start(folder, { resume: true }));
    expect(resumed).toMatchObject({ status: 'succeeded', output: 'region eu\n', kept: ['+main+load'] });
    expect(resumed.view.started).toMatchObject({ attempt: 2, resumes: 1, session_time: '2030-01-31T00:00:00+00:00' });

    const nothing = await start(folder, { resume: true });
    expect(nothing).toMatchObject({ refused: 'usage', fault: { message: 'there is nothing to resume' } });
  });

  it('runs one task with what the last attempt stored', async () => {
    const folder = await temporary({ ...FILES, ok: '' });
    await watch(await start(folder));
    const { output, outline } = await watch(await start(folder, { task: '+report', fromLast: true }));
    expect({ output, outline }).toEqual({ output: 'region eu\n', outline: ['+main+report'] });
  });

  it('reports what a dry run would print, and shows what tasks see', async () => {
    const folder = await temporary({ 'main.dig': '+say:\n  echo>: hello\n+act:\n  sh>: touch acted\n' });
    const started = await start(folder, { dryRun: true, showParams: true });
    if (started.refused !== undefined) throw started.fault;
    const notices: string[] = [];
    for await (const event of started.events) if (event.type === 'notice') notices.push(event.message);
    expect(await started.done).toMatchObject({ status: 'succeeded' });
    expect(notices).toEqual(['+main+say would print: hello', expect.stringMatching(/^\+main\+act sees\n {2}/)]);
    expect(existsSync(join(folder, 'acted'))).toBe(false);
  });

  it('stops a run', async () => {
    const folder = await temporary({ 'main.dig': '+wait:\n  wait>: 1h\n' });
    const started = await start(folder, { workflow: 'main' });
    if (started.refused !== undefined) throw started.fault;
    for await (const event of started.events) if (event.type === 'task-started') started.stop();
    expect(await started.done).toMatchObject({ status: 'interrupted' });
  });

  it('gives faults of the files as values, also before anything is started', async () => {
    const folder = await temporary({ 'main.dig': '+a:\n  shell>: ls\n' });
    const found: string[] = [];
    const started = await start(
      folder,
      {},
      { onDiagnostics: (all) => void found.push(...all.map(({ code }) => code)) },
    );
    expect(started).toMatchObject({
      refused: 'failed',
      diagnostics: [{ code: 'unknown-operator', severity: 'error' }],
    });
    expect(found).toEqual(['unknown-operator']);
  });

  it.each<[Partial<RunRequest>, string, string]>([
    [{ workflow: 'nain' }, 'failed', "workflow 'nain' does not exist"],
    [{ project: 'nowhere' }, 'usage', '--project nowhere: no such folder'],
    [{ session: 'someday' }, 'usage', '--session someday: '],
    [{ timezone: 'Mars' }, 'usage', '--timezone Mars: no such time zone'],
    [{ resume: true, save: false }, 'usage', '--resume needs the history'],
    [{ fromLast: true }, 'usage', '--from-last needs one task'],
    [{ debugPort: 5678 }, 'usage', '--debug-port needs --debug'],
    [{ debug: '+nothing' }, 'usage', "Task pattern '+nothing'"],
  ])('refuses %j', async (request, refused, message) => {
    const started = await start(await temporary(FILES), request);
    expect(started).toMatchObject({ refused, fault: { message: expect.stringContaining(message) } });
  });

  it('refuses a pattern that names no task, as a fault of the request', async () => {
    const started = await start(await temporary(FILES), { task: '+nothing' });
    expect(started).toMatchObject({ refused: 'usage', diagnostics: [{ code: 'task-pattern' }] });
  });
});
