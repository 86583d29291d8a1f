/** Covers lib/compiler/node.ts, lib/compiler/operators/container.ts. */
import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../../lib/asl/limits.ts';
import type { Processor, State, StateMachine } from '../../../lib/asl/types.ts';
import { compiledText, play } from './play.ts';

/** Bytes of a task's state without its own keys. */
function bytesOf(dig: string, name: string): number {
  const state = compiledText(dig).machine.States[name];
  if (state?.Type !== 'Task') throw new Error(`no task ${name}`);
  const { Payload, ...others } = state.Arguments as { Payload: { k: unknown } };
  const { k: _, ...payload } = Payload;
  return Buffer.byteLength(JSON.stringify({ ...state, Arguments: { ...others, Payload: payload } }));
}

describe('a state takes few bytes, for a definition may have a megabyte', () => {
  it.each([
    ['a task at the top', '+a: {py>: t.f}\n+b: {py>: t.f}', '+main+a', 1100],
    ['in a group', '+g: {+a: {py>: t.f}, +b: {py>: t.f}}', '+main+g+a', 1100],
    ['under two exports', '_export: {a: 1}\n+g: {_export: {a: 2}, +a: {py>: t.f}, +b: {py>: t.f}}', '+main+g+a', 1100],
    ['that ends a level', '+g: {_export: {a: 2}, +a: {py>: t.f}, +b: {py>: t.f}}\n+c: {py>: t.f}', '+main+g+b', 1100],
    ['sh>, which stores nothing', '+a: {sh>: x}\n+b: {sh>: y}', '+main+a', 1030],
    ['with _retry', '+a: {py>: t.f, _retry: 2}\n+b: {py>: t.f}', '+main+a', 1190],
    [
      'whose Catch merges, for a handler outside its level',
      '_error: {py>: t.f}\n+g: {_export: {a: 1}, +a: {py>: t.f}, +b: {py>: t.f}}',
      '+main+g+a',
      1670,
    ],
  ])('%s', (_, dig, state, most) => {
    expect(bytesOf(dig, state)).toBeLessThanOrEqual(most);
  });

  it('a task is one state, a transition and few events', async () => {
    const { machine } = compiledText('+a: {py>: t.see}\n+g: {_export: {x: 1}, _error: {py>: t.see}, +b: {py>: t.see}}');
    expect(Object.keys(machine.States)).toEqual(['Start', '+main+a', '+main+g+b', 'Done', '+main+g^error', 'Failed']);
    const one = await play('+a: {py>: t.see}');
    const two = await play('+a: {py>: t.see}\n+b: {py>: t.see}');
    // The service has a sixth, TaskSubmitted: play answers a token before that.
    expect(two.events - one.events).toBe(5);
  });
});

describe('a function that has died', () => {
  it.each([
    ['session', 'Start', '+a: {py>: t.f}', true],
    ['launch', '+main+a', '+a: {py>: t.f}', true],
    ['evaluate', '+main+a', "+a: {echo>: '${x.toUpperCase()}'}", true],
    // The request may have been sent.
    ['http', '+main+a', '+a: {http>: https://example.com}', false],
  ])('%s', (_, name, dig, again) => {
    const state = compiledText(dig).machine.States[name];
    const errors = state?.Type === 'Task' ? state.Retry?.flatMap((retrier) => retrier.ErrorEquals) : undefined;
    expect(errors).toContain('Trowel.Throttled');
    for (const error of ['Lambda.Unknown', 'Runtime.ExitError', 'Sandbox.Timedout'])
      expect(errors?.includes(error)).toBe(again);
  });
});

function namesOf(machine: StateMachine | Processor): string[] {
  return Object.entries(machine.States).flatMap(([name, state]) => [name, ...namesWithin(state)]);
}

function namesWithin(state: State): string[] {
  if (state.Type === 'Parallel') return state.Branches.flatMap(namesOf);
  return state.Type === 'Map' ? namesOf(state.ItemProcessor) : [];
}

describe('names of states', () => {
  const long = 'x'.repeat(120);
  it.each([
    ['long paths that differ in the middle', `+${long}a${long}: {py>: t.see}\n+${long}b${long}: {py>: t.see}`],
    ['long paths that differ at the end', `+${long}:\n  +${long}:\n    +a: {echo>: a}\n    +b: {echo>: b}`],
    ['both arms of an if>', '+a: {if>: "${typeof b}", _do: {+x: {py>: t.see}}, _else_do: {+x: {py>: t.see}}}'],
    ['a file that is called twice by one name', '+a: {call>: "${f}"}\n+b: {call>: part}'],
    [
      'a loop whose body stands twice',
      `+${long}: {loop>: 3, _parallel: "\${p}", _do: {+x: {py>: t.see}, +y: {py>: t.see}}}`,
    ],
    ['characters of several bytes', `+${'-=[]{}%&@,.'.repeat(20)}: {echo>: a}`],
  ])('%s: at most 80 characters, each once', (_, dig) => {
    const compiled = compiledText(dig, { 'part.dig': '+x: {echo>: x}' });
    const names = [compiled.machine, ...Object.values(compiled.nested)].flatMap(namesOf);
    expect(new Set(names).size).toBe(names.length);
    expect(names.filter((name) => name.length > LIMITS.stateNameChars)).toEqual([]);
  });
});

/** Text that looks like an expression of the States Language, or like a placeholder of CloudFormation. */
const TEXTS = ['{% 1 + 1 %}', '{%%}', '{% $states.input %}', '{% "a" %} and {% "b" %}', '{%', '%}', 'a %} b', "{% 'x'"];

describe("a user's text is never an expression", () => {
  it.each(TEXTS)('%s in echo>, keys, exports, items, failures', async (text) => {
    const quoted = JSON.stringify(text);
    const played = await play(
      `
_export: {exported: ${quoted}, list: [${quoted}], deep: {er: ${quoted}}}
+echo: {echo>: ${quoted}}
+echoed: {echo>: "\${exported}"}
+joined: {echo>: "\${exported}\${deep.er}"}
+key: {py>: t.store, data: {stored: ${quoted}, more: [${quoted}]}}
+loop:
  for_each>: {item: [${quoted}, x]}
  _do: {py>: t.store, data: {"\${item}": 1, last: "\${item}"}}
+side:
  for_each>: {item: [${quoted}]}
  _parallel: true
  _do: {echo>: "\${item}"}
+see: {py>: t.see, show: [exported, list, deep, stored, more, last]}
+fail: {fail>: ${quoted}, _error: {py>: t.see, show: [error]}}
`,
    );
    const { seen, outcome } = played;
    expect(seen.filter((line) => line.includes(' echo '))).toEqual([
      `+main+echo echo ${text}`,
      `+main+echoed echo ${text}`,
      `+main+joined echo ${text}${text}`,
      expect.stringMatching(/^\+main\+side\^sub/),
    ]);
    expect(seen.find((line) => line.startsWith('+main+side'))?.endsWith(` echo ${text}`)).toBe(true);
    const list = JSON.stringify([text]);
    expect(seen).toContain(
      `+main+see exported=${text} list=${list} deep=${JSON.stringify({ er: text })} stored=${text} more=${list} last=x`,
    );
    expect(seen).toContain(`+main+fail fail ${text}`);
    expect(seen.at(-1)).toBe(`+main+fail^error error=${JSON.stringify({ message: text })}`);
    expect(outcome).toMatchObject({ status: 'FAILED', cause: JSON.stringify({ message: text }) });
  });
});
