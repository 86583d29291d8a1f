import { describe, expect, it } from 'vitest';
import { project, trowel } from '../cli/run-cli.ts';

const LOAD = '+load:\n  py>: x.load\n';

/** What a dry run of `text`, after a task that might store, would print. */
async function dry(text: string, more: { readonly [path: string]: string } = {}) {
  const cwd = await project({ 'main.dig': text, ...more });
  const { code, stdout, stderr } = await trowel(['run', 'main', '--dry-run'], { cwd });
  expect(stdout).toBe('');
  const told = [...stderr.matchAll(/^notice {2}\S+ (would .*)$/gm)].map(([, line]) => line);
  return { code, stderr, told };
}

describe('--dry-run', () => {
  it.each<[string, string, string]>([
    ['a name', 'Sold: ${sold}', 'Sold: <unknown: sold>'],
    [
      'a value that is looked into',
      '${sold.apples} of ${sold["pears"][0]}',
      '<unknown: sold.apples> of <unknown: sold["pears"][0]>',
    ],
    ['JavaScript', "${rows.length > 2 ? 'many' : 'few'}", "<unknown: rows.length > 2 ? 'many' : 'few'>"],
    ['what is known beside it', '${session_date}: ${n} ${1 + 1}', '2030-01-31: <unknown: n> 2'],
    [
      'a mapping of which more may come',
      '${totals.a} ${totals.b} ${totals.b.c}',
      '1 <unknown: totals.b> <unknown: totals.b.c>',
    ],
    ['what fails for want of it', '${totals.b.c.toFixed(2)}', '<unknown: totals.b.c.toFixed(2)>'],
    [
      'what an export makes of it',
      '${label} ${label.length} ${label.length + 1}',
      'many <unknown: rows> <unknown: label.length> <unknown: label.length + 1>',
    ],
  ])('shows as unknown what only a run can give: %s', async (_, text, expected) => {
    const { code, told, stderr } = await dry(
      `${LOAD}+g:\n  _export: {label: "many \${rows}", totals: {a: 1}}\n  +show:\n    echo>: ${JSON.stringify(text)}\n`,
    );
    expect(
      told.map((line) => line?.replace(/\d{4}-\d\d-\d\d/, '2030-01-31')),
      stderr,
    ).toEqual([`would print: ${expected}`]);
    expect(code).toBe(0);
    expect(stderr).toMatch(/Dry run in .*: 2 tasks evaluated, none of them run\./);
  });

  it('goes on where an operator is asked for what is unknown', async () => {
    const { code, told, stderr } = await dry(
      `${LOAD}
+if:
  if>: \${rows.length > 0}
  _do: {fail>: "no \${rows}"}
+each:
  for_each>: {x: "\${rows}", y: [1, 2]}
  _parallel: \${wide}
  _do:
    +wait: {wait>: "\${x}"}
    +sh: {sh>: "echo \${x}", _timeout: "\${x}", _retry: "\${tries}"}
    +echo: {echo>: "\${y}"}
+loop:
  loop>: \${n}
  _do: {echo>: "\${i}"}
+range:
  for_range>: {from: 0, to: "\${n}", step: 2}
  _do: {echo>: "\${range.from}"}
+call: {call>: "\${which}"}
+require: {require>: other, session_time: "\${when}"}
+s3: {s3_wait>: "bucket/\${key}", timeout: "\${n}"}
+http: {http>: "https://example.org/\${n}"}
+mail: {mail>: {data: "\${n}"}, subject: "\${n}", to: [a@example.org]}
`,
      { 'other.dig': '+a: {echo>: other}\n' },
    );
    expect(told, stderr).toEqual([
      'would fail: no <unknown: rows>',
      'would print: 1',
      'would print: 2',
      'would print: 0',
      'would print: 0',
      'would print: other',
      'would print: other',
    ]);
    expect(code).toBe(0);
  });

  it.each([
    ['what is wrong before any task was skipped', '+a: {echo>: "${no.such + 1}"}\n'],
    ['what is wrong with the session', `${LOAD}+a: {echo>: "\${session_time.nothing()}"}\n`],
    ['a call> of what no file can be', `${LOAD}+a: {call>: "\${which}"}\n`],
    ['a syntax error', `${LOAD}+a: {echo>: "\${1 +}"}\n`],
  ])('fails for %s, and runs no _error', async (_, text) => {
    const { code, told, stderr } = await dry(`${text}_error:\n  +tell: {echo>: handler}\n`);
    expect(code).toBe(1);
    expect(told).toEqual([]);
    expect(stderr).not.toContain('tell');
  });
});
