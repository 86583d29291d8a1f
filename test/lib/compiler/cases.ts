/** What each construct does when it runs: docs/compiling.md's examples and digdag's rules. */
export const CASES: readonly {
  readonly name: string;
  readonly dig: string;
  readonly others?: { readonly [file: string]: string };
  readonly params?: { [key: string]: string };
  readonly seen: readonly string[];
  readonly fails?: string;
}[] = [
  {
    name: 'exports nest, stores beat outer exports and outlive their group',
    dig: `
_export: {k: 1, m: {x: 0}}
+s1: {py>: t.store, data: {b: 1, m: {y: 1}}}
+g:
  _export: {k: 2, b: exported}
  +s2: {py>: t.store, data: {b: stored}}
  +h:
    _export: {m: {v: 9}}
    +s3: {py>: t.store, data: {c: 3}}
  +in: {py>: t.see}
+see: {py>: t.see}
`,
    seen: [
      '+main+s1',
      '+main+g+s2',
      '+main+g+h+s3',
      '+main+g+in k=2 m={"x":0,"y":1} b=stored c=3',
      '+main+see k=1 m={"x":0,"y":1} b=stored c=3',
    ],
  },
  {
    name: 'parallel branches do not see each other, all run to their end, stores merge in definition order',
    dig: `
+p:
  _parallel: true
  +x: {py>: t.boom, msg: bad}
  +y: {+y1: {py>: t.store, data: {v: y, m: {y: 1}}}, +y2: {py>: t.see}}
  +z: {py>: t.store, data: {v: z, m: {z: 1}}}
  _error: {py>: t.see}
+never: {py>: t.see}
`,
    seen: [
      '+main+p+x !',
      '+main+p+y+y1',
      '+main+p+y+y2 v=y m={"y":1}',
      '+main+p+z',
      '+main+p^error v=z m={"y":1,"z":1} error={"message":"bad"}',
    ],
    fails: 'bad',
  },
  {
    name: 'handlers run from the inside out, the run ends with the first failure',
    dig: `
_error: {+re: {py>: t.see, show: [error]}}
+g:
  _export: {e: 1}
  _error: {+ge: {py>: t.boom, msg: handler}}
  +b: {py>: t.boom, msg: first, _error: {+le: {py>: t.see}}}
`,
    seen: [
      '+main+g+b !',
      '+main+g+b^error+le e=1 error={"message":"first"}',
      '+main+g^error+ge !',
      '+main^error+re error={"message":"handler"}',
    ],
    fails: 'first',
  },
  {
    name: "a group handler's own _export is weaker than what the group stored, a task's handler's stands on top",
    dig: `
+g:
  _error: {_export: {v: handler, w: handler}, +h: {py>: t.see, show: [v, w]}}
  +s: {py>: t.store, data: {v: stored}}
  +b: {py>: t.boom, _error: {_export: {v: leaf}, py>: t.see, show: [v]}}
`,
    seen: ['+main+g+s', '+main+g+b !', '+main+g+b^error v=leaf', '+main+g^error+h v=stored w=handler'],
    fails: 'boom',
  },
  {
    name: "the _export of a called workflow's or a loop's handler is weaker than what was stored there too",
    dig: `
+c:
  call>: part
  _error: {_export: {v: handler, w: handler}, py>: t.see, show: [v, w]}
`,
    others: { 'part.dig': '+s: {py>: t.store, data: {v: stored}}\n+b: {py>: t.boom}' },
    seen: ['+main+c^sub+s', '+main+c^sub+b !', '+main+c^error v=stored w=handler'],
    fails: 'boom',
  },
  {
    name: "where a group stores nothing, its handler's _export beats what stands around the group",
    dig: `
_export: {v: outside}
+s: {py>: t.store, data: {w: outside}}
+g:
  _export: {v: group}
  _error: {_export: {v: handler, w: handler}, echo>: "\${v} \${w}"}
  +b: {fail>: no}
`,
    seen: ['+main+s', '+main+g+b fail no', '+main+g^error echo handler handler'],
    fails: 'no',
  },
  {
    name: "a handler's tasks see what those before them stored, above the export of the failed task",
    dig: `
+b:
  _export: {v: exported}
  py>: t.boom
  _error: {+s: {py>: t.store, data: {v: stored}}, +see: {py>: t.see, show: [v]}}
`,
    seen: ['+main+b !', '+main+b^error+s', '+main+b^error+see v=stored'],
    fails: 'boom',
  },
  {
    name: 'each try of a retried handler sees the failure that it handles',
    dig: `
+b:
  py>: t.boom
  msg: first
  _error: {_retry: 1, +see: {py>: t.see}, +f: {py>: t.boom, msg: own}}
`,
    seen: [
      '+main+b !',
      '+main+b^error+see error={"message":"first"}',
      '+main+b^error+f !',
      '+main+b^error+see error={"message":"first"}',
      '+main+b^error+f !',
    ],
    fails: 'first',
  },
  {
    name: 'fail> with an expression that must be evaluated',
    dig: '+b: {fail>: "${[1, 2].length} times", _error: {py>: t.see}}',
    seen: ['+main+b fail 2 times', '+main+b^error error={"message":"2 times"}'],
    fails: '2 times',
  },
  {
    name: 'a retried fail> is the whole of a round or a branch',
    dig: `
+p:
  _parallel: true
  +l: {loop>: 2, _parallel: true, _do: {fail>: "\${i}", _retry: 1}}
  +f: {fail>: f, _retry: 1}
`,
    seen: [
      '+main+p+f fail f',
      '+main+p+f fail f',
      '+main+p+l^sub+loop-0 fail 0',
      '+main+p+l^sub+loop-0 fail 0',
      '+main+p+l^sub+loop-1 fail 1',
      '+main+p+l^sub+loop-1 fail 1',
    ],
    fails: '0',
  },
  {
    name: 'after a failed chunk of a loop no other starts, though nothing is stored',
    dig: `
+l:
  loop>: 4
  _parallel: {limit: 2}
  _do: {fail>: "\${i}"}
`,
    seen: ['+main+l^sub+loop-0 fail 0', '+main+l^sub+loop-1 fail 1'],
    fails: '0',
  },
  {
    name: 'a retried group starts each try without what it stored; what follows sees it all',
    dig: `
+m:
  _retry: {limit: 2, interval: 10, interval_type: exponential}
  +see: {py>: t.see}
  +st: {py>: t.store, data: {only: t}}
  +f: {py>: t.flaky, fails: 1, data: {got: it}}
+after: {py>: t.see}
`,
    seen: [
      '+main+m+see',
      '+main+m+st',
      '+main+m+f #1',
      '+main+m+see',
      '+main+m+st',
      '+main+m+f #2',
      '+main+after only=t got=it',
    ],
  },
  {
    name: "nested retries multiply, the group's handler runs once and sees failed tries' stores",
    dig: `
+o:
  _retry: 1
  _error: {py>: t.see}
  +i:
    _retry: 1
    +s: {py>: t.store, data: {a: 1}}
    +f: {py>: t.boom, _error: {py>: t.see, show: [a]}}
`,
    seen: [
      ...Array.from({ length: 4 }, () => ['+main+o+i+s', '+main+o+i+f !', '+main+o+i+f^error a=1']).flat(),
      '+main+o^error a=1 error={"message":"boom"}',
    ],
    fails: 'boom',
  },
  {
    name: '_retry of a task: literal, by expression, with a check',
    dig: `
+a: {py>: t.flaky, fails: 2, _retry: 2}
+b: {py>: t.flaky, fails: 1, _retry: "\${1 + 0}"}
+c: {py>: t.store, data: {n: 1}, _retry: 1, _check: {+k: {py>: t.flaky, fails: 1}}}
+d: {fail>: last, _retry: 1}
`,
    seen: [
      '+main+a #1',
      '+main+a #2',
      '+main+a #3',
      '+main+b #1',
      '+main+b #2',
      '+main+c',
      '+main+c^check+k #1',
      '+main+c',
      '+main+c^check+k #2',
      '+main+d fail last',
      '+main+d fail last',
    ],
    fails: 'last',
  },
  {
    name: 'a template that fails is not retried by the task, but by its group',
    dig: `
+g:
  _retry: 1
  +s: {py>: t.see}
  +bad: {py>: t.see, x: "\${nope}", _retry: 3}
`,
    seen: ['+main+g+s', '+main+g+s'],
    fails: 'nope is not defined',
  },
  {
    name: '_check sees what its task stored, above the export of the task',
    dig: `
+a:
  py>: t.store
  data: {v: stored}
  _export: {v: exported, w: exported}
  _check: {py>: t.see}
+b: {py>: t.see}
`,
    seen: ['+main+a', '+main+a^check v=stored w=exported', '+main+b v=stored'],
  },
  {
    name: 'loops in sequence see earlier rounds; a loop variable beats the export of the body',
    dig: `
+f:
  for_each>: {a: [x, y], b: [1, 2]}
  _do:
    _export: {a: no, c: yes}
    +s: {py>: t.store, data: {acc: "\${acc}\${a}\${b}"}}
    +t: {py>: t.see, show: [acc, c]}
+after: {py>: t.see, show: [acc]}
`,
    params: { acc: '' },
    seen: [
      '+main+f^sub+for-0=a=0=x&1=b=0=1+s',
      '+main+f^sub+for-0=a=0=x&1=b=0=1+t acc=x1 c=yes',
      '+main+f^sub+for-0=a=0=x&1=b=1=2+s',
      '+main+f^sub+for-0=a=0=x&1=b=1=2+t acc=x1x2 c=yes',
      '+main+f^sub+for-0=a=1=y&1=b=0=1+s',
      '+main+f^sub+for-0=a=1=y&1=b=0=1+t acc=x1x2y1 c=yes',
      '+main+f^sub+for-0=a=1=y&1=b=1=2+s',
      '+main+f^sub+for-0=a=1=y&1=b=1=2+t acc=x1x2y1y2 c=yes',
      '+main+after acc=x1x2y1y2',
    ],
  },
  {
    name: 'loops in parallel do not see each other, merge in order; loops nest in loops',
    dig: `
+f:
  loop>: 2
  _parallel: true
  _do:
    +in:
      for_range>: {from: 0, to: "\${2 + i}", step: 2}
      _do: {py>: t.store, data: {k: "\${i}-\${range.index}", m: {"\${i}": 1}}}
    +see: {py>: t.see, show: [k]}
+after: {py>: t.see, show: [k]}
`,
    seen: [
      '+main+f^sub+loop-0+in^sub+range-from=0&to=2',
      '+main+f^sub+loop-0+see k=0-0',
      '+main+f^sub+loop-1+in^sub+range-from=0&to=2',
      '+main+f^sub+loop-1+in^sub+range-from=2&to=3',
      '+main+f^sub+loop-1+see k=1-1',
      '+main+after k=1-1',
    ],
  },
  {
    name: 'chunks of a loop see the stores of the chunks before',
    dig: `
+l:
  loop>: 3
  _parallel: {limit: 2}
  _do:
    +a: {py>: t.see}
    +b: {py>: t.store, data: {z: "\${i}"}}
+done: {py>: t.see}
`,
    seen: [
      '+main+l^sub+loop-0+a i=0',
      '+main+l^sub+loop-0+b',
      '+main+l^sub+loop-1+a i=1',
      '+main+l^sub+loop-1+b',
      '+main+l^sub+loop-2+a z=1 i=2',
      '+main+l^sub+loop-2+b',
      '+main+done z=2',
    ],
  },
  ...['true', 'false', '{"limit": 2}'].map((how) => ({
    name: `_parallel of a loop by an expression that gives ${how}`,
    dig: `
+l:
  loop>: "\${n}"
  _parallel: "\${how}"
  _do: {py>: t.store, data: {z: "\${i}"}}
+done: {py>: t.see, show: [z]}
`,
    params: { n: '2', how: how.startsWith('{') ? 'true' : how },
    seen: ['+main+l^sub+loop-0', '+main+l^sub+loop-1', '+main+done z=1'],
  })),
  {
    name: 'if> takes one arm, by literal or expression; an empty arm goes on',
    dig: `
+a: {if>: true, _do: {echo>: a}}
+b: {if>: "\${n > 1}", _do: {+x: {echo>: b}}, _else_do: {echo>: no}}
+c: {if>: "\${n > 5}", _do: {echo>: no}}
+d: {echo>: end}
`,
    params: { n: '3' },
    seen: ['+main+a^sub echo a', '+main+b^sub+x echo b', '+main+d echo end'],
  },
  {
    name: 'call> compiles the other file in: its export inside, handlers from callee to root',
    dig: `
_error: {py>: t.see, show: [error]}
+c:
  call>: sub/part
  _export: {who: caller, own: kept}
  plain: hidden
  _error: {py>: t.see, show: [who]}
`,
    others: {
      'sub/part.dig': `
_export: {who: callee}
_error: {py>: t.see, show: [who]}
+x: {py>: t.see, show: [who, own, plain]}
+y: {py>: t.boom}
`,
    },
    seen: [
      '+main+c^sub+x who=callee own=kept plain=undefined',
      '+main+c^sub+y !',
      '+main+c^sub^error who=callee',
      '+main+c^error who=caller',
      '+main^error error={"message":"boom"}',
    ],
    fails: 'boom',
  },
  {
    name: 'call> by an expression chooses among the files of the project',
    dig: `
+c: {call>: "\${which}"}
+d: {call>: "no\${which}"}
`,
    others: { 'a.dig': '+x: {echo>: a}', 'b.dig': '+x: {py>: t.store, data: {b: 1}}' },
    params: { which: 'b' },
    seen: ['+main+c^sub+x'],
    fails: 'nob.dig',
  },
  {
    name: 'files that call> each other by expressions: exports, stores, handlers and retries as if they were written in their place',
    dig: `
_export: {next: sub/one, k: main}
+g:
  _parallel: true
  +c: {call>: "\${next}", _error: {py>: t.see, show: [error]}, _retry: 1}
  +d: {py>: t.store, data: {d: 1}}
+see: {py>: t.see, show: [k, one, two, d]}
`,
    others: {
      'sub/one.dig':
        '_export: {next: two, k: one}\n+s: {py>: t.store, data: {one: 1}}\n+go: {call>: "${next}"}\n+f: {py>: t.flaky, fails: 1}',
      'sub/two.dig': '+t: {py>: t.see, show: [k, one]}\n+s: {py>: t.store, data: {two: "${k}"}}',
    },
    seen: [
      '+main+g+d',
      ...[1, 2].flatMap((run) => [
        '+main+g+c^sub+s',
        '+main+g+c^sub+go^sub+t k=one one=1',
        '+main+g+c^sub+go^sub+s',
        `+main+g+c^sub+f #${run}`,
      ]),
      '+main+see k=main one=1 two=one d=1',
    ],
  },
  {
    name: 'call> by an expression that leads back to itself fails, and names the circle',
    dig: '_export: {a: one, b: two, c: main}\n+go: {call>: "${a}"}',
    others: {
      'one.dig': '+s: {py>: t.store, data: {one: 1}}\n+go: {call>: "${b}"}',
      'two.dig': '+static: {call>: three}',
      'three.dig': '+s: {py>: t.see, show: [one]}\n+go: {call>: "${c}"}',
    },
    seen: ['+main+go^sub+s', '+main+go^sub+go^sub+static^sub+s one=1'],
    fails: 'main.dig → one.dig → two.dig → three.dig → main.dig',
  },
  {
    name: '_background starts with what stands before it',
    dig: `
+a: {py>: t.store, data: {a: 1}}
+b: {py>: t.store, data: {b: 1}, _background: true}
+c: {py>: t.see}
+d: {py>: t.store, data: {d: 1}, _background: true}
+e: {py>: t.see}
`,
    seen: ['+main+d', '+main+a', '+main+b', '+main+c a=1 b=1', '+main+e a=1 b=1 d=1'],
  },
  {
    name: '_after where the order is not series-parallel: each sees its own ancestors only',
    dig: `
+n:
  _parallel: true
  +a: {py>: t.store, data: {q: a}}
  +b: {py>: t.store, data: {q: b, r: b}}
  +c: {py>: t.see, _after: [+a, +b]}
  +d: {py>: t.see, _after: [+b]}
+z: {py>: t.see}
`,
    seen: ['+main+n+a', '+main+n+b', '+main+n+c q=b r=b', '+main+n+d q=b r=b', '+main+z q=b r=b'],
  },
  {
    name: 'what branches store merges at any depth',
    dig: `
+p:
  _parallel: true
  +x: {py>: t.store, data: ${'{a: '.repeat(8)}{x: 1}${'}'.repeat(8)}}
  +y: {py>: t.store, data: ${'{a: '.repeat(8)}{y: 1}${'}'.repeat(8)}}
+q:
  _parallel: true
  +x: {py>: t.store, data: ${'{b: '.repeat(30)}{x: 1}${'}'.repeat(30)}}
  +y: {py>: t.store, data: ${'{b: '.repeat(30)}{y: 1}${'}'.repeat(30)}}
+see: {py>: t.see}
`,
    seen: [
      '+main+p+x',
      '+main+p+y',
      '+main+q+x',
      '+main+q+y',
      `+main+see a=${'{"a":'.repeat(7)}{"x":1,"y":1}${'}'.repeat(7)} b=${'{"b":'.repeat(29)}{"x":1,"y":1}${'}'.repeat(29)}`,
    ],
  },
  {
    name: 'wait> and _disable',
    dig: `
+w: {wait>: 90s}
+off: {_disable: true, fail>: no}
+v: {wait>: "\${n}m"}
+x: {echo>: "{% 1 %}"}
`,
    params: { n: '2' },
    seen: ['+main+x echo {% 1 %}'],
  },
];
