import { describe, expect, test } from 'vitest';
import { parseWorkflow, workflowFromValue } from '../../../../lib/language/dig/parse-workflow.ts';
import { locate, templatesOf } from '../../../../lib/language/templates.ts';
import { tasksOf } from '../../../../lib/language/walk.ts';
import { brief, child, parse, task, valid } from '../helpers.ts';

describe('the tree', () => {
  test('groups and tasks', () => {
    const workflow = valid('timezone: Asia/Tokyo\n+g:\n  +a: {echo>: x}\n  +b: {+c: {sh>: ls}}\n+empty: {}\n');
    expect(workflow).toMatchObject({ name: 'main', file: 'main.dig', timezone: 'Asia/Tokyo', root: { name: '+main' } });
    expect(task(workflow, '+g', '+b', '+c')).toMatchObject({
      operator: 'sh',
      command: 'ls',
      parallel: { kind: 'sequential' },
    });
    expect(child(workflow, '+empty')).toMatchObject({ kind: 'group', children: [] });
  });

  test('the keys of a task, as written and in order', () => {
    const text =
      '+t:\n  n: 010\n  py>: m.f\n  _retry: 2\n  _env: {A: b}\n  _export: {x: 1}\n  _error: {echo>: e}\n  half: 0.5\n';
    const found = task(valid(text), '+t');
    expect(found.keys).toEqual({ n: 8, 'py>': 'm.f', _retry: 2, _env: { A: 'b' }, half: '0.5' });
    expect(Object.keys(found.keys)).toEqual(['n', 'py>', '_retry', '_env', 'half']);
    expect(found.directives).toMatchObject({
      export: { x: 1 },
      env: { A: 'b' },
      error: { name: '^error', operator: 'echo' },
    });
  });

  test('_type and _command', () => {
    expect(task(valid('+t: {_type: sh, _command: ls}'), '+t')).toMatchObject({ operator: 'sh', command: 'ls' });
  });

  test('bodies', () => {
    const workflow = valid(
      '+l:\n  loop>: 3\n  _parallel: ${x}\n  _do: {+a: {echo>: a}}\n+i:\n  if>: ""\n  _do: {echo>: y}\n  _else_do: {echo>: n}\n',
    );
    expect(task(workflow, '+l')).toMatchObject({
      body: { kind: 'group', name: '^sub' },
      parallel: { kind: 'expression', value: '${x}' },
    });
    expect(task(workflow, '+i')).toMatchObject({ body: { command: 'y' }, elseBody: { command: 'n' } });
    expect(task(workflow, '+l').keys).toEqual({ 'loop>': 3, _parallel: '${x}' });
    expect([...tasksOf(workflow)].map(({ name }) => name)).toEqual(['+l', '+a', '+i', '^sub', '^sub']);
  });

  test('_disable drops what is below, unread', () => {
    const workflow = valid('+t: {_disable: true, nonsense: 1, +x: {what>: 1}}\n+u: {_disable: false, echo>: x}');
    expect(child(workflow, '+t')).toMatchObject({ kind: 'group', children: [], directives: {} });
    expect(child(workflow, '+u')).toMatchObject({ kind: 'task' });
  });

  test('_env on groups and at the top', () => {
    const workflow = valid('_env: {A: 1}\n+g:\n  _env: {B: 2}\n  +t: {sh>: ls}');
    expect(workflow.root.directives.env).toEqual({ A: 1 });
    expect(child(workflow, '+g').directives.env).toEqual({ B: 2 });
  });

  test('spans go from key to end, with those of each value', () => {
    const text = '+a: {echo>: x}\n+t:\n  py>: m.f\n  data: {list: [1, two]}\n';
    const found = task(valid(text), '+t');
    const cut = (path: string) => text.slice(found.spans[path]?.start, found.spans[path]?.end);
    expect(text.slice(found.span.start, found.span.end).trimEnd()).toBe('+t:\n  py>: m.f\n  data: {list: [1, two]}');
    expect([cut('py>'), cut('data.list.1')]).toEqual(['m.f', 'two']);
  });

  test('templates and their places', () => {
    const text = '+t:\n  _export: {p: "${a}"}\n  py>: m.f\n  data: {_do: "${no}", x: ["${b} and ${c}"]}\n  plain: 1\n';
    const found = templatesOf(task(valid(text), '+t'));
    expect(found.map(({ path }) => path)).toEqual(['_export.p', 'data.x.0']);
    const [, second] = found;
    const span = second && locate(text, second, '${c}');
    expect(text.slice(span?.start, span?.end)).toBe('${c}');
  });

  test('a workflow that came as JSON keeps JSON numbers', () => {
    const { workflow, diagnostics } = workflowFromValue('h', 'h.dig', { '+t': { 'py>': 'm.f', x: 0.5 } });
    expect(diagnostics).toEqual([]);
    expect(task(workflow, '+t').keys.x).toBe(0.5);
  });
});

describe('_retry, _parallel, _timeout', () => {
  test.each<[string, object]>([
    ['3', { kind: 'literal', limit: 3, interval: 0, exponential: false }],
    ['"3"', { kind: 'literal', limit: 3 }],
    ['0', { kind: 'literal', limit: 0 }],
    ['{limit: 2, interval: 10}', { limit: 2, interval: 10 }],
    ['{limit: 2, interval: 30s}', { interval: 30 }],
    [
      '{limit: 2, interval: 1h 1s, interval_type: EXPONENTIAL, max_interval: 2h}',
      { interval: 3601, exponential: true, maxInterval: 7200 },
    ],
    ['"${n}"', { kind: 'expression', value: '${n}' }],
    ['{limit: "${n}", interval: 5}', { kind: 'expression', value: { limit: '${n}', interval: 5 } }],
  ])('_retry: %s', (text, expected) => {
    expect(task(valid(`+t: {sh>: ls, _retry: ${text}}`), '+t').directives.retry).toMatchObject(expected);
  });

  test.each<[string, object]>([
    ['true', { kind: 'parallel' }],
    ['"true"', { kind: 'parallel' }],
    ['false', { kind: 'sequential' }],
    ['{limit: 2}', { kind: 'limit', limit: 2 }],
    ['{limit: "2"}', { kind: 'limit', limit: 2 }],
    ['{limit: 0}', { kind: 'parallel' }],
  ])('_parallel: %s', (text, expected) => {
    expect(child(valid(`+g: {_parallel: ${text}, +a: {sh>: ls}}`), '+g')).toMatchObject({ parallel: expected });
  });

  test.each<[string, unknown]>([
    ['30', 30],
    ['30m', 1800],
    ['1d 2h 3m 4s', 93_784],
    ['${t}', '${t}'],
  ])('_timeout: %s', (text, expected) => {
    expect(task(valid(`+t: {sh>: ls, _timeout: "${text}"}`), '+t').timeout).toBe(expected);
  });
});

describe('schedule and sla', () => {
  test.each<[string, object]>([
    ['hourly>: 30:00', { kind: 'hourly', at: '30:00', delay: 0, skipOnOvertime: false }],
    ['daily>: 07:00:00', { kind: 'daily', at: '07:00:00' }],
    ['daily>:\n  at: 07:00:00', { kind: 'daily', at: '07:00:00' }],
    ['weekly>: Sun,09:00:00', { kind: 'weekly', at: 'Sun,09:00:00' }],
    ['weekly>: 7,09:00:00', { kind: 'weekly' }],
    ['monthly>: 1,09:00:00', { kind: 'monthly', at: '1,09:00:00' }],
    ['minutes_interval>: 30\n  delay: 60', { kind: 'minutes_interval', at: '30', delay: 60 }],
    ['seconds_interval>: 90', { kind: 'seconds_interval', at: '90' }],
    ['cron>: 42 4 1 * *\n  delay: 10m', { kind: 'cron', at: '42 4 1 * *', delay: 600 }],
    ['cron>: "*/5 1-3,7 L jan-mar mon|0 0 * * 7"', { kind: 'cron' }],
    ['_type: daily\n  _command: 01:00:00', { kind: 'daily', at: '01:00:00' }],
    [
      'daily>: 00:00:00\n  skip_on_overtime: true\n  skip_delayed_by: 1h 2m\n  start: 2030-01-01\n  end: 2030-01-01',
      { skipOnOvertime: true, skipDelayedBy: 3720, start: '2030-01-01', end: '2030-01-01' },
    ],
  ])('%s', (text, expected) => {
    expect(valid(`schedule:\n  ${text}\n+t: {echo>: x}`).schedule).toMatchObject(expected);
  });

  test('sla', () => {
    const { sla } = valid('sla:\n  time: 02:00\n  fail: true\n  +late: {echo>: late}\n+t: {echo>: x}');
    expect(sla).toMatchObject({
      time: '02:00',
      alert: true,
      fail: true,
      body: { name: '^sla', children: [{ name: '+late' }] },
    });
    expect(valid('sla: {duration: 01:30:00, alert: false}\n+t: {echo>: x}').sla).toMatchObject({
      duration: '01:30:00',
      alert: false,
    });
  });
});

/** Each rule of the contract that refuses something: the text, and the diagnostics with the place underlined. */
const FAULTS: [string, string, ...string[]][] = [
  ['an empty file', '', 'error root-not-mapping «»'],
  ['text', 'hello', 'error root-not-mapping «hello»'],
  ['an unknown key at the top', 'owner: me\n+t: {sh>: ls}', 'error unknown-top-key «owner»'],
  ['an operator at the top', 'sh>: ls', 'error unknown-top-key «sh>»'],
  ['_disable at the top', '_disable: true\n+t: {sh>: ls}', 'error unknown-top-key «_disable»'],
  ['a name with a space', '+a b: {sh>: ls}', 'error task-name «+a b»'],
  ['a name with ^', '+a^b: {sh>: ls}', 'error task-name «+a^b»'],
  ['no name', '+: {sh>: ls}', 'error task-name «+»'],
  ['a null task', '+t:', 'error task-null «+t»'],
  ['a task that is text', '+t: ls', 'error task-not-mapping «ls»'],
  ['a list of operators', '+t:\n  - sh>: ls', 'error task-not-mapping «- sh>: ls»'],
  ['two operators', '+t: {sh>: ls, echo>: x}', 'error two-operators «echo>»'],
  ['an operator and a subtask', '+t: {sh>: ls, +u: {sh>: ls}}', 'error task-with-subtasks «+u»'],
  ['no operator', '+t: {source: a, target: b}', 'error forgotten-operator «source»'],
  ['an unknown key of a group', '+g: {parallel: true, +t: {sh>: ls}}', 'error unknown-group-key «parallel»'],
  ['an unknown operator', '+t: {shel>: ls}', 'error unknown-operator «shel>»'],
  ["an operator named like one of Object's own", '+t: {constructor>: ls}', 'error unknown-operator «constructor>»'],
  ['td>', '+t: {td>: q.sql}', 'error unsupported-operator «td>»'],
  ['td_load>', '+t: {td_load>: q.yml}', 'error unsupported-operator «td_load>»'],
  ['pg>', '+t: {pg>: q.sql}', 'error unsupported-operator «pg>»'],
  ['compose>', '+t: {compose>: a && b}', 'error unsupported-operator «compose>»'],
  ['a bad zone', 'timezone: Mars/Olympus\n+t: {sh>: ls}', 'error bad-timezone «Mars/Olympus»'],
  ['a zone in other letters', 'timezone: asia/tokyo\n+t: {sh>: ls}', 'warning bad-timezone «asia/tokyo»'],
  ["an offset beyond Java's", 'timezone: "+19:00"\n+t: {sh>: ls}', 'error bad-timezone «"+19:00"»'],
  ['an offset without its sign', 'timezone: 9\n+t: {sh>: ls}', 'error bad-timezone «9»'],
  ['an offset in other letters', 'timezone: utc+9\n+t: {sh>: ls}', 'error bad-timezone «utc+9»'],
  ['_parallel: 3', '+g: {_parallel: 3, +t: {sh>: ls}}', 'error bad-parallel «3»'],
  ['_parallel of a group as expression', '+g: {_parallel: "${p}", +t: {sh>: ls}}', 'error bad-parallel «"${p}"»'],
  ['_parallel of a loop', '+l: {loop>: 1, _parallel: tru, _do: {sh>: ls}}', 'error bad-parallel «tru»'],
  ['a key of _parallel', '+g: {_parallel: {limits: 3}, +t: {sh>: ls}}', 'error bad-parallel «limits»'],
  ['_retry: often', '+t: {sh>: ls, _retry: often}', 'error bad-retry «often»'],
  ['a negative _retry', '+t: {sh>: ls, _retry: -1}', 'error bad-retry «-1»'],
  ['_retry of a group as expression', '+g: {_retry: "${n}", +t: {sh>: ls}}', 'error bad-retry «"${n}"»'],
  ['a key of _retry', '+t: {sh>: ls, _retry: {limit: 1, intervall: 3}}', 'error bad-retry «intervall»'],
  ['an interval', '+t: {sh>: ls, _retry: {limit: 1, interval: soon}}', 'error bad-retry «soon»'],
  ['half a second', '+g: {_retry: {limit: 1, interval: 0.5}, +t: {sh>: ls}}', 'error bad-retry «0.5»'],
  ['_after in a sequence', '+a: {sh>: ls}\n+b: {_after: [+a], sh>: ls}', 'error bad-after «[+a]»'],
  ['_after something below', '_parallel: true\n+a: {_after: [+b], sh>: ls}\n+b: {sh>: ls}', 'error bad-after «[+b]»'],
  ['_after nothing', '_parallel: true\n+a: {_after: [+x], sh>: ls}', 'error bad-after «[+x]»'],
  ['_background in parallel', '_parallel: true\n+a: {_background: true, sh>: ls}', 'error bad-background «true»'],
  ['_disable as expression', '+t: {_disable: "${d}", sh>: ls}', 'error bad-value «"${d}"»'],
  ['_env as text', '+t: {sh>: ls, _env: x}', 'error bad-env «x»'],
  ['a name in _env', '+t: {sh>: ls, _env: {a-b: 1}}', 'error bad-env «a-b»'],
  ['a list in _env', '+t: {sh>: ls, _env: {a: [1]}}', 'error bad-env «[1]»'],
  ['_export as list', '_export: [1]\n+t: {sh>: ls}', 'error bad-value «[1]»'],
  ['_timeout', '+t: {sh>: ls, _timeout: long}', 'error bad-duration «long»'],
  ['a _timeout of 1.5 s', '+t: {sh>: ls, _timeout: 1.5}', 'error bad-duration «1.5»'],
  ['a silence of 1.5 s', '+t: {sh>: ls, resources: {heartbeat: 1.5}}', 'error bad-duration «1.5»'],
  ['_error with a fault', '_error: {shel>: x}\n+t: {sh>: ls}', 'error unknown-operator «shel>»'],
  ['_error as text', '_error: x\n+t: {sh>: ls}', 'error task-not-mapping «x»'],
  ['_check on a group', '+g: {_check: {sh>: ls}, +t: {sh>: ls}}', 'warning unused-key «_check»'],
  ['schedule on a group', '+g: {schedule: {daily>: 1}, +t: {sh>: ls}}', 'warning unused-key «schedule»'],
  ['no _do', '+t: {loop>: 2}', 'error missing-key «loop>»'],
  ['a fault in _do', '+t: {loop>: 2, _do: {x: 1}}', 'error forgotten-operator «x»'],
  ['neither _do nor _else_do', '+t: {if>: true}', 'error missing-key «if>»'],
  ['a count', '+t: {loop>: many, _do: {sh>: ls}}', 'error bad-option «many»'],
  ['a condition', '+t: {if>: "5", _do: {sh>: ls}}', 'error bad-option «"5"»'],
  ['for_each> of a value', '+t: {for_each>: {x: 3}, _do: {sh>: ls}}', 'error bad-value «3»'],
  [
    'for_range> without size',
    '+t: {for_range>: {from: 0, to: 9}, _do: {sh>: ls}}',
    'error bad-value «{from: 0, to: 9}»',
  ],
  [
    'for_range> without end',
    '+t: {for_range>: {from: 0, step: 2}, _do: {sh>: ls}}',
    'error missing-key «{from: 0, step: 2}»',
  ],
  [
    'for_range> with both',
    '+t: {for_range>: {from: 0, to: 9, step: 1, slices: 2}, _do: {sh>: ls}}',
    'error bad-value «{from: 0, to: 9, step: 1, slices: 2}»',
  ],
  ['wait> a number', '+t: {wait>: 5}', 'error bad-duration «5»'],
  [
    'poll_interval and blocking',
    '+t: {wait>: 5s, blocking: true, poll_interval: 1s}',
    'error bad-option «poll_interval»',
  ],
  ['a message without text', '+t: {slack>: {channel: a}}', 'error missing-key «{channel: a}»'],
  ['no function', '+t: {py>: }', 'error missing-key «py>»'],
  ['rerun_on', '+t: {require>: x, rerun_on: fail}', 'error bad-option «fail»'],
  ['aws> without action', '+t: {aws>: s3}', 'error bad-value «s3»'],
  ['a key that nobody reads', '+t: {echo>: x, foo: 1}', 'warning unused-key «foo»'],
  ['a directive with a slip', '+t: {py>: m.f, _retyr: 1}', 'warning unused-key «_retyr»'],
  ['what only the compiler may write', '+t: {py>: m.f, _beside: {image: x}}', 'warning unused-key «_beside»'],
  ['docker with a slip', '+t: {py>: m.f, dokcer: {image: x}}', 'warning unused-key «dokcer»'],
  ['a key of docker', '+t: {py>: m.f, docker: {imagee: x}}', 'warning unused-key «imagee»'],
  ['_do beside echo>', '+t: {echo>: x, _do: {sh>: ls}}', 'warning unused-key «_do»'],
  ['schedule on one line', 'schedule: daily>: 07:00:00\n+t: {sh>: ls}', 'error yaml-syntax «daily>:»'],
  ['schedule without type', 'schedule: {daily: 07:00:00}\n+t: {sh>: ls}', 'error bad-schedule «schedule»'],
  ['an unknown schedule', 'schedule: {dayly>: 07:00:00}\n+t: {sh>: ls}', 'error bad-schedule «dayly>»'],
  ['a time', 'schedule: {daily>: half past nine}\n+t: {sh>: ls}', 'error bad-schedule «half past nine»'],
  ['a weekday', 'schedule: {weekly>: "Someday,07:00:00"}\n+t: {sh>: ls}', 'error bad-schedule «"Someday,07:00:00"»'],
  ['a day', 'schedule: {monthly>: "32,07:00:00"}\n+t: {sh>: ls}', 'error bad-schedule «"32,07:00:00"»'],
  ['a cron line', 'schedule: {cron>: "61 * * * *"}\n+t: {sh>: ls}', 'error bad-schedule «"61 * * * *"»'],
  ['four fields', 'schedule: {cron>: "* * * *"}\n+t: {sh>: ls}', 'error bad-schedule «"* * * *"»'],
  [
    'a schedule option',
    'schedule: {daily>: 07:00:00, skip_on_over_time: true}\n+t: {sh>: ls}',
    'error bad-schedule «skip_on_over_time»',
  ],
  ['delay with daily>', 'schedule: {daily>: 07:00:00, delay: 3}\n+t: {sh>: ls}', 'error bad-schedule «delay»'],
  [
    'a date that is none',
    'schedule: {daily>: 07:00:00, start: 2030-02-30}\n+t: {sh>: ls}',
    'error bad-schedule «2030-02-30»',
  ],
  [
    'an end before the start',
    'schedule: {daily>: 07:00:00, start: 2030-02-02, end: 2030-02-01}\n+t: {sh>: ls}',
    'error bad-schedule «2030-02-01»',
  ],
  ['sla without either', 'sla: {fail: true}\n+t: {sh>: ls}', 'error bad-sla «sla»'],
  ['sla with both', 'sla: {time: 1:00, duration: 1:00}\n+t: {sh>: ls}', 'error bad-sla «sla»'],
  ['an sla time', 'sla: {time: noon}\n+t: {sh>: ls}', 'error bad-sla «noon»'],
];

test.each(FAULTS)('refused: %s', (_, text, ...expected) => {
  expect(brief(parse(text).diagnostics, text)).toEqual(expected);
});

test.each([
  ['variables that a template of the task names', '+t: {x: 5, echo>: "${x + 1}"}'],
  ['parameters of py> and sh>', '+t: {py>: m.f, anything: 1, _mine: 2}\n+u: {sh>: ls, foo: 1}'],
  ['an expression where a value is wanted', '+t: {loop>: "${n}", _do: {wait>: "${w}"}}'],
  ['JSON text in for_each>', '+t: {for_each>: {x: "[1, 2]"}, _do: {echo>: "${x}"}}'],
  ['an export whose lines are comments', '_export:\n  # a: 1\n+t: {sh>: ls}'],
  ['_background', '+a: {sh>: ls}\n+b: {_background: true, sh>: ls}\n+c: {sh>: ls}'],
  ['_after one name', '_parallel: true\n+a: {sh>: ls}\n+b: {_after: +a, sh>: ls}'],
  ['all characters of a name', '+aZ_0-=[]{}%&@`,.: {sh>: ls}'],
  ['{data: …}', '+t: {mail>: {data: hi}, subject: s, to: [a@b.c], from: a@b.c}'],
  ["Slack's own message", '+s: {slack>: {text: hi}}\n+b: {slack>: {blocks: [{type: divider}]}}'],
  ['aws> that waits', '+t: {aws>: athena:startQueryExecution.sync, arguments: {QueryString: select 1}}'],
])('allowed: %s', (_, text) => {
  expect(parse(text).diagnostics).toEqual([]);
});

test('everything is reported at once, in the order of the file', () => {
  const text = 'colour: red\n+a: {shel>: x}\n+b:\n+c: {sh>: ls, _retry: x, _env: {a-b: 1}}\n';
  expect(brief(parse(text).diagnostics, text)).toEqual([
    'error unknown-top-key «colour»',
    'error unknown-operator «shel>»',
    'error task-null «+b»',
    'error bad-retry «x»',
    'error bad-env «a-b»',
  ]);
});

test.each([
  ['shell>', "'sh>'"],
  ['ehco>', "'echo>'"],
  ['for>', "'for_each>'"],
  ['echo >', "'echo>'"],
  ['htpp>', "'http>'"],
])('%s: did you mean %s', (key, expected) => {
  expect(parse(`+t: {"${key}": x}`).diagnostics[0]?.notes[0]).toContain(`Did you mean ${expected}`);
});

test.each(['1st', '@x', '*x', 'a.dig'])('%s is no name of a workflow', (name) => {
  const { diagnostics } = parseWorkflow(name, `${name}.dig`, '+t: {sh>: ls}');
  expect(diagnostics.map(({ code }) => code)).toEqual(['workflow-name']);
});

test('10,000 tasks in one group', () => {
  const text = Array.from({ length: 10_000 }, (_, i) => `+t${i}: {echo>: x}`).join('\n');
  expect(valid(text).root.children).toHaveLength(10_000);
});
