import { describe, expect, it } from 'vitest';
import type { StateMachine } from '../../../lib/asl/types.ts';
import { definitionText } from '../../../lib/compiler/definition-text.ts';
import { CASES } from './cases.ts';
import { compiledText } from './play.ts';

/** Every `${…}` that CloudFormation would see. */
function placeholdersIn(machine: StateMachine): string[] {
  return [...new Set(definitionText(machine).match(/\$\{[^}]*\}/g))].sort();
}

describe('the text of a definition', () => {
  it.each(CASES)(
    '$name: the same machine, with nothing to substitute but functions and machines',
    ({ dig, others }) => {
      const { machine, nested } = compiledText(dig, others);
      for (const each of [machine, ...Object.values(nested)]) {
        expect(JSON.parse(definitionText(each))).toEqual(each);
        expect(
          placeholdersIn(each).filter(
            (found) => !/^\$\{(session|launch|evaluate|sm_main_(?:part|call)\d+)\}$/.test(found),
          ),
        ).toEqual([]);
      }
    },
  );

  it('has a placeholder for each function and machine', () => {
    const { machine, nested } = compiledText(
      `
+py: {py>: t.f}
+echo: {echo>: "\${[1].length}"}
+http: {http>: "http://localhost"}
+call: {http_call>: "http://localhost"}
+mail: {slack>: hello}
+other: {require>: sub/other-flow}
+part: {_parallel: true, +a: {sh>: "true"}, +b: {loop>: 40000, _do: {echo>: a}}}
`,
      { 'sub/other-flow.dig': '+a: {echo>: a}' },
    );
    const all = [machine, ...Object.values(nested)].flatMap(placeholdersIn);
    expect([...new Set(all)].sort()).toEqual([
      '${arn_sub_other_flow_742d690b}',
      '${evaluate}',
      '${http_call}',
      '${http}',
      '${launch}',
      '${notify}',
      '${session}',
      ...Object.keys(nested).map((name) => `\${sm_${name}}`),
      '${sm_sub_other_flow_df28ade3}',
    ]);
  });

  it("does not take a user's text for one, wherever it stands", () => {
    const names = '["${launch}", "${session}", "${sm_main}", "${arn_x}:"]';
    const { machine, nested } = compiledText(`
_export: {FunctionName: "\${launch}", "\${evaluate}": ${names}}
+py: {py>: t.f, FunctionName: "\${launch}", Payload: {FunctionName: "\${launch}"}, "\${http}": ${names}}
+sh: {sh>: "echo \${launch} $\${session} \\\\\${notify}"}
+fail: {fail>: "\${sm_main}", _error: {echo>: "\${arn_x}"}}
+each: {for_each>: {x: ["\${launch}"]}, _do: {if>: "\${launch}", _do: {echo>: "\${x}"}}}
+aws: {aws>: "lambda:invoke", arguments: {FunctionName: "\${launch}"}}
+lambda: {lambda>: "\${launch}"}
`);
    for (const each of [machine, ...Object.values(nested)]) {
      expect(JSON.parse(definitionText(each))).toEqual(each);
    }
    const parts = Object.keys(nested).map((name) => `\${sm_${name}}`);
    expect(placeholdersIn(machine)).toEqual(['${evaluate}', '${launch}', '${session}', ...parts]);
    for (const each of Object.values(nested)) expect(placeholdersIn(each)).toEqual(['${evaluate}']);
    const launched = definitionText(machine).match(/.{16}\$\{launch\}/g) ?? [];
    expect(launched.every((text) => text === '"FunctionName":"${launch}')).toBe(true);
  });
});
