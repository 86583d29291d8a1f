import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { project, trowel } from '../../cli/run-cli.ts';

const FILES = {
  'main.dig': `
+load:
  py>: t.load
+wait:
  wait>: 100s
+each:
  for_each>: {n: [1, 2]}
  _parallel: true
  _do:
    py>: t.part
+say:
  echo>: said before
+report:
  py>: t.report
+after:
  echo>: said after
`,
  't.py': `
import os

import digdag

def load():
    print("loading")
    digdag.env.store(big="x" * 100_000)

def part(n):
    digdag.env.store({"parts": {f"p{n}": n}})

def report(big, parts):
    print("report", len(big), parts)
    if not os.path.exists("ok"):
        raise ValueError("not yet")
`,
};

describe('--from-last', () => {
  it('runs one task again with the values that it had, large ones too, and nothing else', async () => {
    // The first run needs no waiting.
    const cwd = await project({ ...FILES, 'main.dig': FILES['main.dig'].replace('wait>: 100s', 'echo>: no wait') });
    expect((await trowel(['run', 'main'], { cwd })).code).toBe(1);
    await writeFile(join(cwd, 'main.dig'), FILES['main.dig']);
    const failed = await trowel(['run', 'main', '+report', '--from-last'], { cwd });
    expect(failed).toMatchObject({ code: 1, stdout: expect.stringMatching(/^report 100000 {'p1': 1, 'p2': 2}\n/) });
    expect(failed.stderr).toContain('continue where it stopped: trowel run main +report --from-last\n');
    await writeFile(join(cwd, 'ok'), '');
    // Values of an attempt that had them from another.
    for (const before of [2, 3]) {
      const { code, stdout, stderr } = await trowel(['run', 'main', '+report', '--from-last'], { cwd });
      expect({ code, stdout }, stderr).toEqual({ code: 0, stdout: "report 100000 {'p1': 1, 'p2': 2}\n" });
      expect(stderr).toContain(`attempt ${before + 1}, continues ${before}\n`);
      expect(stderr).toContain('kept    +main+load\n');
      expect(stderr).not.toContain('+say');
    }
  });

  it('says which task has no result there', async () => {
    const cwd = await project({ 'main.dig': '+a:\n  sh>: "true"\n+b:\n  sh>: echo b\n' });
    await trowel(['run', 'main', '+b'], { cwd });
    const { code, stdout, stderr } = await trowel(['run', 'main', '+b', '--from-last'], { cwd });
    expect(stderr).toContain('notice  +main+a has no result in attempt 1: what it stores is missing\n');
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'b\n' });
  });

  it.each([
    [['main', '--from-last'], '--from-last needs one task'],
    [['main', '+report', '--from-last', '--resume'], 'does not go together with --resume'],
    [['main', '+report', '--from-last'], 'there is no attempt to take values from'],
    [['main', '+nothing', '--from-last'], "Task pattern '+nothing' doesn't match"],
  ])('run %j is a usage error', async (args, message) => {
    const { code, stderr } = await trowel(['run', ...args], { cwd: await project(FILES) });
    expect(stderr).toContain(message);
    expect(code).toBe(2);
  });
});
