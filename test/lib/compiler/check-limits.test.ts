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
