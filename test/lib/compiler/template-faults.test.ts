/** Covers lib/compiler/check-expressions.ts, lib/expression/render.ts. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkExpressions } from '../../../lib/compiler/check-expressions.ts';
import { render } from '../../../lib/expression/render.ts';
import { parseWorkflow } from '../../../lib/language/dig/parse-workflow.ts';
import type { Mapping } from '../../../lib/language/workflow.ts';

async function codes(text: string): Promise<string[]> {
  const { workflow, diagnostics } = parseWorkflow('main', 'main.dig', text);
  expect(diagnostics).toEqual([]);
  const sources = new Map([['main.dig', text]]);
  const found = await checkExpressions(workflow!, { workflows: new Map([['main', workflow!]]), params: [], sources });
  return found.map(({ code, span }) => `${code} ${text.slice(span?.start, span?.end)}`);
}

describe('variables of templates', () => {
  it.each<[string, string, string[]]>([
    ['a key above', '+a: {sh>: "${x}", x: 1}', ['key-below x']],
    ['its own key', '+a: {py>: a.f, x: "${x}"}', ['undefined-variable x']],
    ['its own key in a mapping', '+a: {py>: a.f, x: {y: "${x}"}}', ['undefined-variable x']],
    ['its own key, exported', '_export: {x: 0}\n+a: {py>: a.f, x: "${x}"}', []],
    ['the key below', '+a: {x: 1, sh>: "${x}"}', []],
    ['exported too', '_export: {x: 0}\n+a: {sh>: "${x}", x: 1}', []],
    ['in _env', '+a: {x: 1, sh>: ls, _env: {X: "${x}"}}', ['key-below x']],
    ['in a mapping', '+a: {x: 1, py>: a.f, m: {y: "${x}"}}', ['key-below x']],
    ['in a list', '+a: {x: 1, py>: a.f, m: ["${x}"]}', []],
    ['in a mapping, above', '+a: {py>: a.f, m: {x: 1, y: "${x}"}}', []],
    ['in a mapping, below', '+a: {py>: a.f, m: {y: "${x}", x: 1}}', ['key-below x']],
    ['itself', '+a: {py>: a.f, x: "${x}"}', ['undefined-variable x']],
    [
      'in sla, exported at the top',
      '_export: {x: 1}\nsla: {duration: 00:10:00, +late: {echo>: "${x}"}}\n+a: {echo>: hi}',
      [],
    ],
    ['nowhere', '+a: {py>: a.f, m: {y: "${x}"}}', ['undefined-variable x']],
    [
      'exported text in a mapping',
      '_export: {s: 1, x: "a${s}"}\n+a: {py>: a.f, m: {y: "${x}"}}',
      ['template-as-text x'],
    ],
    ['exported literal in a mapping', '_export: {x: a}\n+a: {py>: a.f, m: {y: "${x}"}}', []],
    ['exported text as a key', '_export: {s: 1, x: "a${s}"}\n+a: {py>: a.f, m: "${x}"}', []],
    ['exported text in _env', '_export: {s: 1, x: "a${s}"}\n+a: {sh>: ls, _env: {X: "${x}"}}', ['template-as-text x']],
    ['in an exported mapping', '_export: {s: 1, x: "a${s}", m: {y: "${x}"}}\n+a: {echo>: hi}', ['template-as-text x']],
    ['exported above', '_export: {s: 1, y: "${x}", x: "a${s}"}\n+a: {echo>: hi}', ['template-as-text x']],
    ['exported below', '_export: {s: 1, x: "a${s}", y: "${x}"}\n+a: {echo>: hi}', []],
    ['a part of an exported mapping', '_export: {s: 1, m: {x: "a${s}", y: b}}\n+a: {py>: a.f, n: {z: "${m.y}"}}', []],
    ['that part', '_export: {s: 1, m: {x: "a${s}", y: b}}\n+a: {py>: a.f, n: {z: "${m.x}"}}', ['template-as-text m']],
    ['exported anew', '_export: {s: 1, x: "a${s}"}\n+g: {_export: {x: b}, +a: {py>: a.f, m: {y: "${x}"}}}', []],
    ['a loop variable', '_export: {s: 1, x: "a${s}"}\n+l: {for_each>: {x: [1]}, _do: {py>: a.f, m: {y: "${x}"}}}', []],
  ])('%s', async (_, text, expected) => {
    expect(await codes(text)).toEqual(expected);
  });

  it('are found to be missing, or text, exactly where rendering finds it', async () => {
    const name = fc.constantFrom('a', 'b', 'c');
    const leaf = fc.oneof(
      fc.constant('plain'),
      name.map((each) => `${'$'}{${each}}`),
    );
    const value = fc.oneof(
      leaf,
      fc.dictionary(name, leaf, { maxKeys: 2, noNullPrototype: true }),
      fc.array(leaf, { maxLength: 2 }),
    );
    const mapping = fc.dictionary(name, value, { maxKeys: 3, noNullPrototype: true });
    await fc.assert(
      fc.asyncProperty(mapping, mapping, async (exported, keys) => {
        // An own mapping merges with an exported one, which is not looked into.
        fc.pre(Object.keys(keys).every((key) => !(key in exported)));
        const text = JSON.stringify({ _export: exported, '+t': { ...keys, 'py>': 'm.f' } });
        const found = await codes(text);
        const rendered = await render({
          layers: [[exported as Mapping]] as never,
          builtins: { timezone: 'UTC' },
          task: '+main+t',
          keys: keys as Mapping,
        });
        const missing = found.some((each) => /^(?:key-below|undefined-variable)/.test(each));
        if (missing) expect(rendered.ok).toBe(false);
        if (!rendered.ok) return;
        const raw = JSON.stringify(rendered.params).includes('${');
        expect({ text, warned: found.some((each) => each.startsWith('template-as-text')) }).toEqual({
          text,
          warned: raw,
        });
      }),
      { numRuns: 400 },
    );
  });
});
