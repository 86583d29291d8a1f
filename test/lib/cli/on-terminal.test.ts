/** Covers lib/cli/render/tree.ts, lib/cli/render/live-area.ts, lib/cli/terminal.ts. */
import { describe, expect, it } from 'vitest';
import { SecretStore } from '../../../lib/local/secrets.ts';
import { onTerminal, type Step } from './pseudo-terminal.ts';
import { cleanEnv, project } from './run-cli.ts';

const PARALLEL = `
+p:
  _parallel: true
  +a:
    sh>: sleep 0.4; echo from a
  +b:
    sh>: sleep 0.6
+report:
  echo>: the report
`;

describe('on a terminal', () => {
  it('a run draws a tree, and leaves it with the output and the summary', async () => {
    const { code, text, lines } = await onTerminal(await project({ 'main.dig': PARALLEL }), ['run']);
    expect(text).toMatch(/\d+ running/);
    const plain = lines.map((line) => line.replace(/[\d.]+ s/, 'N s'));
    expect(plain.slice(0, 1)).toEqual([expect.stringContaining('main  session')]);
    expect(plain.slice(1, 8)).toEqual([
      '+a │ from a',
      'the report',
      '✓ +main',
      '├─ ✓ +p',
      '│  ├─ ✓ +a  N s',
      '│  └─ ✓ +b  N s',
      '└─ ✓ +report  N s',
    ]);
    expect(plain[8]).toBe('Success in N s: 3 tasks done.');
    expect(code).toBe(0);
    expect(text.lastIndexOf('\u001b[?25h')).toBeGreaterThan(text.lastIndexOf('\u001b[?25l'));
  });

  it('Ctrl-C leaves the terminal as it was', async () => {
    const cwd = await project({ 'main.dig': '+a:\n  sh>: echo begun; sleep 60\n' });
    const { code, text, lines } = await onTerminal(cwd, ['run'], [['begun', '\u0003']]);
    expect(code).toBe(130);
    expect(text.lastIndexOf('\u001b[?25h')).toBeGreaterThan(text.lastIndexOf('\u001b[?25l'));
    expect(lines.at(-1)).toBe('  continue where it stopped: trowel run --resume');
  });

  it('a secret is asked for and not shown', async () => {
    const cwd = await project({ 'main.dig': PARALLEL });
    const steps: Step[] = [['(not shown): ', 'hidden value\r']];
    const { code, text } = await onTerminal(cwd, ['secrets', '--local', '--set', 'my.key'], steps);
    expect(code).toBe(0);
    expect(text).not.toContain('hidden');
    expect(await new SecretStore(cwd, cleanEnv(cwd)).get('my.key')).toBe('hidden value');
    expect((await onTerminal(cwd, ['secrets', '--local', '--set', 'k'], [['shown): ', '\u0003']])).code).toBe(130);
  });

  it('--debug opens pdb at breakpoint()', async () => {
    const cwd = await project({
      'main.dig': '+before:\n  sh>: echo before\n+t:\n  py>: t.f\n  n: 20\n',
      't.py': 'def f(n):\n  breakpoint()\n  print("then", n * 3)\n',
    });
    const { code, text } = await onTerminal(
      cwd,
      ['run', '--debug', '+t'],
      [
        ['(Pdb) ', 'p n * 2 + 1\r'],
        ['41', 'c\r'],
      ],
    );
    expect(text).toContain('41');
    expect(text).toContain('then 60');
    expect(code).toBe(0);
  });
});
