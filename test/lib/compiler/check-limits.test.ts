import { describe, expect, it } from 'vitest';
import { compileText } from './play.ts';

const lines = (count: number, line: (index: number) => string): string =>
  Array.from({ length: count }, (_, i) => line(i)).join('\n');

describe('limits of Step Functions, told with their place', () => {
  it.each([
    ['limit-nesting', '+g', `+g:\n${lines(1001, (i) => `  +t${i}: {echo>: x, _background: true}`)}`],
    ['limit-history', '+a', `+a: {fail>: x}\n_error:\n${lines(4300, (i) => `  +t${i}: {py>: t.see}`)}`],
    ['limit-payload', '+big', `+ok: {echo>: ok}\n+big: {py>: t.see, text: "${'x'.repeat(270_000)}"}`],
    ['bad-duration', '+w', '+ok: {echo>: ok}\n+w: {wait>: 400d}'],
  ])('%s at %s', (code, task, dig) => {
    const { compiled, diagnostics } = compileText(dig);
    expect(compiled).toBeUndefined();
    const errors = diagnostics.filter(({ severity }) => severity === 'error');
    const error = errors.find((each) => each.code === code);
    const { start = -1 } = error?.span ?? {};
    expect(dig.slice(start, start + task.length)).toBe(task);
  });

  it.each([
    ['limit-history', `+a: {fail>: x}\n_error:\n${lines(4300, (i) => `  +t${i}: {py>: t.see}`)}`, 'events'],
    [
      'limit-definition',
      `+a: {fail>: x}\n_error:\n${lines(6, (i) => `  +t${i}: {py>: t.see, x: "${'x'.repeat(200_000 + i)}"}`)}`,
      '+main^error+t',
    ],
  ])('%s hinders no run here', (code, dig, cause) => {
    const { compiled, diagnostics } = compileText(dig, {}, { limits: 'warning' });
    expect(compiled).toBeDefined();
    const found = diagnostics.find((each) => each.code === code);
    expect(found?.severity).toBe('warning');
    expect([found?.message, ...(found?.notes ?? [])].join(' ')).toContain(cause);
  });

  const files = (count: number, env: (index: number) => string): { [file: string]: string } =>
    Object.fromEntries(
      Array.from({ length: count }, (_, i) => [
        `f${i}.dig`,
        `${env(i)}_export: {next: f1}\n+go: {call>: "\${next}"}\n`,
      ]),
    );

  it('compiles each file that an expression may name once, however many call each other', () => {
    const { compiled } = compileText(
      '+go: {call>: "${next}"}',
      files(60, () => ''),
    );
    expect(Object.keys(compiled?.nested ?? {})).toHaveLength(61);
  });

  it('says why a project becomes too many machines', () => {
    const { diagnostics } = compileText(
      '+go: {call>: "${next}"}',
      files(12, (i) => `_env: {E${i}: "${i}"}\n`),
    );
    expect(diagnostics.map(({ code, message }) => [code, message])).toEqual([
      ['limit-definition', expect.stringContaining('each `_env` that it may be called with')],
    ]);
  });

  it('gives what a called file inherits to its tasks', () => {
    const dig = '+a: {_env: {E: a}, +go: {call>: "${x}"}}\n+b: {+go: {call>: "${x}"}}';
    const { compiled } = compileText(dig, { 'f.dig': '+t: {sh>: "true"}' });
    const launched = Object.values(compiled?.nested ?? {}).map((machine) => JSON.stringify(machine));
    expect(launched.filter((text) => text.includes('"sh>":"true","_env":{"E":"a"}'))).toHaveLength(1);
    expect(launched.filter((text) => text.includes('"sh>":"true"}'))).toHaveLength(1);
  });

  it('gives workflows whose names are made fit different executions', () => {
    const long = 'a'.repeat(60);
    const others = { [`${long}1.dig`]: '+x: {echo>: 1}', [`${long}2.dig`]: '+x: {echo>: 2}' };
    const { compiled } = compileText(`+a: {require>: ${long}1}\n+b: {require>: ${long}2}`, others);
    const names = [...JSON.stringify(compiled?.machine).matchAll(/\$substring\(\\"([^\\]+)\\"/g)].map(
      (match) => match[1],
    );
    expect(new Set(names).size).toBe(2);
  });
});
