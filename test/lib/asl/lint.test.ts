import { describe, expect, test } from 'vitest';
import { lintMachine } from '../../../lib/asl/lint.ts';

type States = { [name: string]: unknown };

const machine = (states: States, more: object = {}) => ({
  QueryLanguage: 'JSONata',
  StartAt: Object.keys(states)[0],
  States: states,
  ...more,
});
const pass = (more: object = {}) => ({ Type: 'Pass', End: true, ...more });
const task = (more: object = {}) => ({
  Type: 'Task',
  Resource: 'arn:aws:states:::lambda:invoke',
  Arguments: {},
  End: true,
  ...more,
});
const output = (expression: string) => machine({ A: pass({ Output: `{% ${expression} %}` }) });
const inBranch = (states: States, before: object = {}) =>
  machine({
    Start: { Type: 'Pass', Next: 'P', ...before },
    P: { Type: 'Parallel', Branches: [{ StartAt: Object.keys(states)[0], States: states }], End: true },
  });

/** name, machine, faults as `rule path`. */
const cases: [string, unknown, string[]][] = [
  ['unknown function', output('$sume([1])'), ['unknown-function /States/A/Output']],
  ['function without $', output('count([1])'), ['unknown-function /States/A/Output']],
  ['own function', output('($f := function($x) { $x > 1 ? $f($x - 1) : $x }; $f(3))'), []],
  ['a long chain', output(`'' & ${Array.from({ length: 40 }, (_, n) => `[$states.input.a${n}]`).join(' & ')}`), []],
  ['functions of Step Functions', output("$partition($range(1, 9, 1), 3) ~> $map($hash('a', 'MD5'))"), []],
  ['a function as a value', output('$map([1, 2], $string)'), []],
  ['bound by a path', output('$states.input.a@$x#$i.b[$i = $x.c]'), []],
  [
    'a variable named like a function',
    machine({
      A: { Type: 'Pass', Assign: { count: 1 }, Next: 'B' },
      B: pass({ Output: '{% $count + 1 %}' }),
    }),
    [],
  ],
  [
    'and the function called where it is hidden',
    machine({
      A: { Type: 'Pass', Assign: { count: 1 }, Output: '{% $count([]) %}', Next: 'B' },
      B: pass({ Output: '{% $count([1]) %}' }),
    }),
    ['unknown-function /States/B/Output'],
  ],
  ['long chains', output(Array.from({ length: 101 }, () => "'a'").join('&')), ['too-deep /States/A/Output']],
  ['long lists', output(`$join([${Array.from({ length: 200 }, () => "'a'").join()}])`), []],
  ['$eval', output("$eval('1')"), ['eval /States/A/Output']],
  ['bare name', output('a.b'), ['bare-name /States/A/Output']],
  ['bare name in a call', output('$count(items)'), ['bare-name /States/A/Output']],
  ['$ at the top', output('$'), ['bare-name /States/A/Output']],
  ['$$ anywhere', output('$states.input.a[$$ = 1]'), ['bare-name /States/A/Output']],
  ['names in a path, a predicate, a sort, a group', output('$states.input.a[b = $.c]^(d){e: $sum(f)}'), []],
  ['?: of later versions', output('$states.input.a ?: 1'), ['newer-syntax /States/A/Output']],
  ['?? of later versions', output('$states.input.a ?? 1'), ['newer-syntax /States/A/Output']],
  ['?? in a text', output("'a ?? b'"), []],
  ['broken syntax', output('1 +'), ['expression-syntax /States/A/Output']],
  ['undefined variable', output('$nowhere'), ['undefined-variable /States/A/Output']],
  [
    'variable of the same state',
    machine({ A: pass({ Assign: { x: 1 }, Output: '{% $x %}' }) }),
    ['unassigned-variable /States/A/Output'],
  ],
  [
    'assigned on one way only',
    machine({
      C: { Type: 'Choice', Choices: [{ Condition: true, Assign: { x: 1 }, Next: 'R' }], Default: 'R' },
      R: pass({ Output: '{% $x %}' }),
    }),
    ['unassigned-variable /States/R/Output'],
  ],
  [
    'guarded by $exists',
    machine({
      C: { Type: 'Choice', Choices: [{ Condition: true, Assign: { x: 1 }, Next: 'R' }], Default: 'R' },
      R: pass({ Output: '{% $exists($x) ? $x : 0 %}' }),
    }),
    [],
  ],
  [
    "a Choice's own Assign belongs to Default",
    machine({
      C: { Type: 'Choice', Assign: { x: 1 }, Choices: [{ Condition: true, Next: 'R' }], Default: 'D' },
      R: pass({ Output: '{% $x %}' }),
      D: pass({ Output: '{% $x %}' }),
    }),
    ['unassigned-variable /States/R/Output'],
  ],
  [
    "a Catch's Assign replaces the state's",
    machine({
      T: task({
        End: undefined,
        Next: 'A',
        Assign: { x: 1 },
        Catch: [{ ErrorEquals: ['States.ALL'], Assign: { y: '{% $states.errorOutput %}' }, Next: 'B' }],
      }),
      A: pass({ Output: '{% $x %}' }),
      B: pass({ Output: '{% $x + $y %}' }),
    }),
    ['unassigned-variable /States/B/Output'],
  ],
  [
    'assigned around a loop',
    machine({
      I: { Type: 'Pass', Assign: { i: 0 }, Next: 'L' },
      L: {
        Type: 'Choice',
        Choices: [{ Condition: '{% $i < 3 %}', Assign: { i: '{% $i + 1 %}' }, Next: 'L' }],
        Default: 'E',
      },
      E: { Type: 'Succeed', Output: '{% $i %}' },
    }),
    [],
  ],
  ['a branch reads what is around it', inBranch({ B: pass({ Output: '{% $x %}' }) }, { Assign: { x: 1 } }), []],
  [
    'a branch assigns what is around it',
    inBranch({ B: pass({ Assign: { x: 2 } }) }, { Assign: { x: 1 } }),
    ['outer-assignment /States/P/Branches/0/States/B/Assign/x'],
  ],
  [
    'a branch and what follows it assign the same name',
    machine({
      P: {
        Type: 'Parallel',
        Branches: [{ StartAt: 'B', States: { B: pass({ Assign: { x: 2 } }) } }],
        Assign: { x: 1 },
        End: true,
      },
    }),
    [],
  ],
  [
    'siblings may share names, and not values',
    machine({
      P: {
        Type: 'Parallel',
        Branches: [
          { StartAt: 'B', States: { B: pass({ Assign: { x: 2 } }) } },
          {
            StartAt: 'C',
            States: { C: { Type: 'Pass', Assign: { x: 2 }, Next: 'D' }, D: pass({ Output: '{% $x %}' }) },
          },
        ],
        Output: '{% $x %}',
        End: true,
      },
    }),
    ['out-of-scope-variable /States/P/Output'],
  ],
  [
    'children of a distributed Map see nothing',
    machine({
      S: { Type: 'Pass', Assign: { x: 1 }, Next: 'M' },
      M: {
        Type: 'Map',
        ItemSelector: '{% $x %}',
        ItemProcessor: {
          ProcessorConfig: { Mode: 'DISTRIBUTED', ExecutionType: 'STANDARD' },
          StartAt: 'I',
          States: { I: pass({ Assign: { x: 1 }, Output: '{% $states.context.Map.Item.Value %}' }) },
        },
        End: true,
      },
    }),
    ['states-field /States/M/ItemProcessor/States/I/Output'],
  ],
  [
    'fields of a distributed Map on an inline one',
    machine({
      M: {
        Type: 'Map',
        ToleratedFailureCount: 1,
        Label: 'm',
        ItemProcessor: { StartAt: 'I', States: { I: pass() } },
        End: true,
      },
    }),
    ['distributed-only /States/M/Label'],
  ],
  ...[
    'lambda:invok',
    'aws-sdk:nothing:getIt',
    'aws-sdk:s3:GetObject',
    'aws-sdk:s3:getObject.sync',
    'sqs:sendMessage.sync',
    'glue:startJobRun.sync:2',
    'dynamodb:getItem.waitForTaskToken',
    'dynamodb:query',
    'lambda',
  ].map((name): [string, unknown, string[]] => [
    `an integration that is not there: ${name}`,
    machine({ T: task({ Resource: `arn:aws:states:::${name}`, Arguments: { t: '{% $states.context %}' } }) }),
    ['unknown-integration /States/T/Resource'],
  ]),
  ...[
    'aws-sdk:s3:getObject',
    'aws-sdk:sfn:startExecution.waitForTaskToken',
    'ecs:runTask.sync',
    'states:startExecution.sync:2',
    'emr-serverless:startJobRun.sync',
    'http:invoke',
  ].map((name): [string, unknown, string[]] => [
    `an integration: ${name}`,
    machine({ T: task({ Resource: `arn:aws:states:::${name}`, Arguments: { t: '{% $states.context %}' } }) }),
    [],
  ]),
  [
    'the token of a job',
    machine({
      T: task({ Resource: 'arn:aws:states:::ecs:runTask.sync', Arguments: { t: '{% $states.context.Task.Token %}' } }),
    }),
    [],
  ],
  ...[
    ['$x ? $x : 1', true],
    ['$append($x ? $x : [], [1])', true],
    ['$append($x, [1])', true],
    ['$x and true', true],
    ['$count($x)', true],
    ['[$x, 1]', true],
    ['$merge([$x, {}])', true],
    ['$x & "a"', true],
    ['$x = 1', true],
    ['$x in [1]', true],
    ['$x ~> $exists', true],
    ['$x ~> $string', false],
    ['$x < 1', false],
    ['$x + 1', false],
    ['$states.input.a ? $x : 1', false],
  ].map(([expression, guarded]): [string, unknown, string[]] => [
    `a variable of one way only, in ${expression}`,
    machine({
      C: { Type: 'Choice', Choices: [{ Condition: true, Assign: { x: 1 }, Next: 'A' }], Default: 'A' },
      A: pass({ Output: `{% ${expression} %}` }),
    }),
    guarded ? [] : ['unassigned-variable /States/A/Output'],
  ]),
  ['reserved variable', machine({ A: pass({ Assign: { states: 1 } }) }), ['variable-name /States/A/Assign/states']],
  ['bad variable name', machine({ A: pass({ Assign: { 'a-b': 1 } }) }), ['variable-name /States/A/Assign/a-b']],
  ['result in a Pass', output('$states.result'), ['states-field /States/A/Output']],
  [
    'result in Arguments',
    machine({ T: task({ Arguments: { a: '{% $states.result %}' } }) }),
    ['states-field /States/T/Arguments/a'],
  ],
  [
    'errorOutput outside Catch',
    machine({ T: task({ Output: '{% $states.errorOutput %}' }) }),
    ['states-field /States/T/Output'],
  ],
  ['a field $states has not', output('$states.inptu'), ['states-field /States/A/Output']],
  ['Map context outside', output('$states.context.Map.Item.Index'), ['states-field /States/A/Output']],
  ['retry count', output('$states.context.State.RetryCount'), []],
  [
    'heartbeat longer than timeout',
    machine({ T: task({ TimeoutSeconds: 5, HeartbeatSeconds: 5 }) }),
    ['heartbeat-over-timeout /States/T/HeartbeatSeconds'],
  ],
  [
    'States.ALL not alone and not last',
    machine({
      T: task({
        Catch: [
          { ErrorEquals: ['States.ALL', 'E'], Next: 'A' },
          { ErrorEquals: ['F'], Next: 'A' },
        ],
      }),
      A: pass(),
    }),
    ['states-all /States/T/Catch/0/ErrorEquals', 'states-all /States/T/Catch/0/ErrorEquals'],
  ],
  [
    'token not handed out',
    machine({ T: task({ Resource: 'arn:aws:states:::lambda:invoke.waitForTaskToken', Arguments: { Payload: 1 } }) }),
    ['no-token /States/T/Arguments'],
  ],
  [
    'token handed out',
    machine({
      T: task({
        Resource: 'arn:aws:states:::lambda:invoke.waitForTaskToken',
        Arguments: { Payload: { token: '{% $states.context.Task.Token %}' } },
      }),
    }),
    [],
  ],
  ['long name', machine({ ['n'.repeat(81)]: pass() }), [`name-too-long /States/${'n'.repeat(81)}`]],
  ['name used twice', inBranch({ Start: pass() }), ['duplicate-name /States/P/Branches/0/States/Start']],
  ['unreachable state', machine({ A: pass(), 'B/c': pass() }), ['unreachable-state /States/B~1c']],
  [
    'no way out',
    machine({ A: { Type: 'Pass', Next: 'B' }, B: { Type: 'Pass', Next: 'A' } }),
    ['no-terminal-state /States'],
  ],
  ['over 1 MB', machine({ A: pass({ Output: 'x'.repeat(1024 * 1024) }) }), ['too-large ']],
];

describe('lintMachine', () => {
  test.each(cases)('%s', (_name, json, expected) => {
    expect(lintMachine(json).map(({ rule, path }) => `${rule} ${path}`)).toEqual(expected);
  });

  test('a machine of 3,000 states and 600 variables takes no longer than a moment', () => {
    const states: States = {};
    for (let index = 0; index < 3000; index += 1) {
      states[`S${index}`] = {
        Type: 'Pass',
        Assign: { [`v${index % 600}`]: index },
        ...(index > 0 ? { Output: `{% $v${(index - 1) % 600} %}` } : {}),
        ...(index < 2999 ? { Next: `S${index + 1}` } : { End: true }),
      };
    }
    expect(lintMachine(machine(states))).toEqual([]);
  });
});
