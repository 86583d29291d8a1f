/** Covers lib/cli/actions/run.ts, lib/expression/sandbox.ts. */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { first } from '../../thorough.ts';
import { TROWEL } from '../../trowel.ts';
import { cleanEnv, project, trowel } from './run-cli.ts';

const ENDLESS = '${new Array(4294967295).includes(1)}';

describe('trowel run', () => {
  const ENDLESS_ONES = [
    ['a loop of the engine', ENDLESS, 'it ran longer than 1 s'],
    ['a long search', '${Array.prototype.lastIndexOf.call({length:9007199254740991}, 1)}', 'it ran longer than 1 s'],
    ['much memory', '${new Array(1e8).join("ab").length}', 'it (ran longer than 1 s|needs more than 64 MB)'],
  ] as const;

  it.each(first(1, ENDLESS_ONES))('ends an expression that does not end: %s', async (_, text, message) => {
    const cwd = await project({ 'main.dig': `+t:\n  echo>: ${text}\n` });
    const { code, stderr } = await trowel(['run'], { cwd });
    expect(stderr).toContain(text);
    expect(stderr).toMatch(new RegExp(message));
    expect(code).toBe(1);
  });

  it.each(['SIGINT', 'SIGTERM'] as const)('hears %s while an expression runs', async (signal) => {
    const cwd = await project({
      'main.dig': `+a:\n  sh>: touch begun\n+b:\n  loop>: 100\n  _do:\n    echo>: ${ENDLESS}\n    _retry: 100\n`,
    });
    const child = spawn(process.execPath, [TROWEL, 'run'], { cwd, env: cleanEnv(cwd), stdio: 'ignore' });
    const events = join(cwd, '.trowel', 'attempts', '1', 'events.jsonl');
    await expect.poll(() => existsSync(events) && readFileSync(events, 'utf8').includes('"+main+b')).toBe(true);
    expect(child.exitCode).toBe(null);
    child.kill(signal);
    expect(await new Promise((resolve) => child.on('close', resolve))).toBe(130);
  });

  it('shows no expression what another has changed', async () => {
    const cwd = await project({
      'main.dig': [
        '+a:',
        `  echo>: "\${moment['la' + 'ng']('en', {months: ['X1']}) && ''}"`,
        '+b:',
        '  echo>: "${moment.utc(0).format(\'MMMM\')} ${typeof leak}"',
      ].join('\n'),
    });
    const { code, stderr, stdout } = await trowel(['run'], { cwd });
    expect(stdout + stderr).toContain('January undefined');
    expect(code).toBe(0);
  });
});
