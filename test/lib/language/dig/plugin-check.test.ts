import { expect, it } from 'vitest';
import { checkPlugins } from '../../../../lib/language/dig/plugin-check.ts';
import { parse, valid } from '../helpers.ts';

it.each<[string, string[]]>([
  ['_export: {plugin: {dependencies: ["a:b:1"]}}\n+a: {echo>: x}', ['unused-key plugin']],
  ['+a: {_export: {plugin: {repositories: [x], dependencies: []}}, echo>: x}', ['unused-key plugin']],
  ['_export: {plugin: mine}\n+a: {echo>: "${plugin}"}', []],
  ['+a: {slack>: templates/good.yml}', ['bad-value templates/good.yml']],
  ['+a: {slack>: here}', ['bad-value here']],
  ['+a: {slack>: "good.yml is written"}', []],
  ['+a: {slack>: "Done at 1.5"}', []],
  ['+a: {slack>: "${file}.yml"}', []],
])('%s', (text, expected) => {
  const found = checkPlugins(valid(text), (path) => path === 'here');
  expect(found.map(({ code, span }) => `${code} ${text.slice(span?.start, span?.end)}`)).toEqual(expected);
});

it.each([['ecs_task.py>'], ['mysql>'], ['athena.query>'], ['ssh>'], ['sh_result>']])(
  '%s of a plugin names what to use',
  (operator) => {
    const { diagnostics } = parse(`+a:\n  ${operator}: x\n`);
    expect(diagnostics).toMatchObject([{ code: 'unsupported-operator', notes: [expect.stringMatching(/^Use /)] }]);
  },
);
