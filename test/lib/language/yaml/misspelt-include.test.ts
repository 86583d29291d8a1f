/** Covers lib/language/yaml/include.ts. */
import { describe, expect, it } from 'vitest';
import { parse } from '../helpers.ts';

const AFTER = '\ntimezone: UTC\n+a:\n  echo>: hi\n';

describe('an !include that is nearly one', () => {
  it.each<[string, number]>([
    ["!include: 'config.yml'\n", 1],
    ['!include: config.yml\n', 1],
    ['!include: "config.yml"\n', 1],
    ['!include config.yml\n', 1],
    ['!include:config.yml\n', 1],
    ['!include :config.yml\n', 1],
    ["'!include': config.yml\n", 1],
    ['"!include" : config.yml\n', 1],
    ['!Include : config.yml\n', 1],
    ["_export:\n  !include: 'config.yml'\n", 2],
    ["_export:\n  !include: 'config.yml'\n  y: 1\n", 2],
    ["_export:\n  y: 1\n  !include: 'config.yml'\n", 3],
    ['_export:\n  y: 1\n  !include: config.yml\n', 3],
    ['_export:\n  - !include: config.yml\n', 2],
    ['_export: !include config.yml\n', 1],
    ['_export: !include: config.yml\n', 1],
    ['_export: !include : config.yml\n', 1],
    ['_export: {!include: config.yml}\n', 1],
    ['+b:\n  !include config.yml\n', 2],
    ['+b:\n  !include:config.yml\n', 2],
  ])('%j is one error, in its line', (text, line) => {
    const source = text + AFTER;
    const { diagnostics } = parse({ 'main.dig': source, 'config.yml': 'x: 1\n' });
    expect(diagnostics.map(({ code, span }) => [code, source.slice(0, span?.start).split('\n').length])).toEqual([
      ['include-path', line],
    ]);
    expect(diagnostics[0]?.notes[0]).toContain('`!include : config.yml`');
  });

  it('hides no error above it', () => {
    const { diagnostics } = parse("+a:\n\techo>: hi\n!include: 'x.yml'\n+b: {echo>: b}\n");
    expect(diagnostics.map(({ code }) => code)).toEqual(expect.arrayContaining(['include-path']));
  });

  it.each(['!include : config.yml\n', "!include : 'config.yml'\n", '_export:\n  !include : config.yml\n'])(
    '%j is one',
    (text) => {
      const { diagnostics } = parse({ 'main.dig': text + AFTER, 'config.yml': '_export: {x: 1}\n' });
      expect(diagnostics).toEqual([]);
    },
  );
});

describe('a workflow that is included into another', () => {
  it.each(['timezone: UTC', 'schedule: {daily>: "07:00:00"}', 'sla: {time: "02:00"}'])('has no %s there', (line) => {
    const main = '+one: {echo>: hi}\n+two:\n  !include : part.dig\n';
    const { diagnostics } = parse({ 'main.dig': main, 'part.dig': `${line}\n+x: {echo>: hi}\n` });
    expect(diagnostics).toHaveLength(1);
    expect(diagnostics[0]).toMatchObject({
      code: 'unused-key',
      severity: 'warning',
      span: { file: 'main.dig', start: main.indexOf('part.dig') },
    });
    expect(diagnostics[0]?.message).toContain("'part.dig' is included in +two");
  });
});
