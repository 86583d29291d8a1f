import { expect, test } from 'vitest';
import { parseMachine, validateMachine } from '../../../lib/asl/validate.ts';

const A = { Type: 'Pass', End: true };
const machine = (states: { [name: string]: unknown }, more: object = {}) => ({
  QueryLanguage: 'JSONata',
  StartAt: 'A',
  States: states,
  ...more,
});

const cases: [string, unknown, string[]][] = [
  ['sound', machine({ A }), []],
  [
    'states that say JSONata where JSONPath is the default',
    machine({ A: { ...A, QueryLanguage: 'JSONata' } }, { QueryLanguage: 'JSONPath' }),
    [],
  ],
  [
    'no such language',
    machine({ A }, { QueryLanguage: 'XPath' }),
    ['query-language /QueryLanguage', 'query-language /States/A/QueryLanguage'],
  ],
  ['states that say JSONata themselves', { StartAt: 'A', States: { A: { ...A, QueryLanguage: 'JSONata' } } }, []],
  ...['{% 1', '{% 1 %} ', '1 %}'].map((Output): [string, unknown, string[]] => [
    `an expression that is not opened or closed: ${Output}`,
    machine({ A: { ...A, Output: [Output] } }),
    ['expression-syntax /States/A/Output/0'],
  ]),
  ['blanks outside of the marks', machine({ A: { ...A, Output: ' {% 1 %} ' } }), []],
  [
    'QueryLanguage in a branch',
    machine({
      A: { Type: 'Parallel', Branches: [{ QueryLanguage: 'JSONata', StartAt: 'B', States: { B: A } }], End: true },
    }),
    ['unknown-field /States/A/Branches/0/QueryLanguage'],
  ],
  ...[
    ['2030-01-01T00:00:00Z', true],
    ['2030-01-01T00:00:00.5+02:00', true],
    ['2030-01-01T00:00:00', false],
    ['2030-01-01 00:00:00Z', false],
    ['2030-13-01T00:00:00Z', false],
  ].map(([Timestamp, right]): [string, unknown, string[]] => [
    `Timestamp ${Timestamp}`,
    machine({ A: { Type: 'Wait', Timestamp, End: true } }),
    right ? [] : ['bad-value /States/A/Timestamp'],
  ]),
  ...[
    [{}, false],
    [{ RoleArn: 5 }, false],
    [{ RoleArn: 'arn:aws:iam::1:role/r' }, true],
    [{ RoleArn: '{% $states.input.role %}' }, true],
  ].map(([Credentials, right]): [string, unknown, string[]] => [
    `Credentials ${JSON.stringify(Credentials)}`,
    machine({ A: { Type: 'Task', Resource: 'arn:aws:states:::lambda:invoke', Credentials, End: true } }),
    right ? [] : ['bad-value /States/A/Credentials'],
  ]),
  [
    'empty Retry and Catch',
    machine({ A: { Type: 'Task', Resource: 'arn:aws:states:::lambda:invoke', Retry: [], Catch: [], End: true } }),
    [],
  ],
  ['no object', [], ['not-a-machine ']],
  ['no StartAt, no States', { QueryLanguage: 'JSONata' }, ['missing-field ', 'missing-field ']],
  ['StartAt nowhere', machine({ B: A }), ['unknown-target /StartAt']],
  ['JSONPath by default', { StartAt: 'A', States: { A } }, ['query-language /States/A/QueryLanguage']],
  ['JSONPath by name', machine({ A: { ...A, QueryLanguage: 'JSONPath' } }), ['query-language /States/A/QueryLanguage']],
  ['unknown type', machine({ A: { Type: 'Pas' } }), ['unknown-state-type /States/A/Type']],
  ['a state that is none', machine({ A: 1 }), ['bad-value /States/A']],
  ['no Next', machine({ A: { Type: 'Pass' } }), ['no-transition /States/A']],
  ['Next and End', machine({ A: { ...A, Next: 'A' } }), ['no-transition /States/A']],
  ['Next nowhere', machine({ A: { Type: 'Pass', Next: 'B' } }), ['unknown-target /States/A/Next']],
  [
    'a branch cannot lead out',
    machine({
      A: { Type: 'Parallel', Branches: [{ StartAt: 'B', States: { B: { Type: 'Pass', Next: 'A' } } }], End: true },
    }),
    ['unknown-target /States/A/Branches/0/States/B/Next'],
  ],
  [
    'JSONPath fields',
    machine({ A: { ...A, InputPath: '$.a', ResultPath: '$.b', Parameters: {}, Result: 1 } }),
    ['InputPath', 'ResultPath', 'Parameters', 'Result'].map((field) => `jsonpath-field /States/A/${field}`),
  ],
  [
    'JSONPath fields of a Choice',
    machine({ A: { Type: 'Choice', Choices: [{ Variable: '$.a', Next: 'B' }], Default: 'B' }, B: A }),
    ['missing-field /States/A/Choices/0', 'jsonpath-field /States/A/Choices/0/Variable'],
  ],
  ['unknown field', machine({ A: { ...A, Asign: {} } }), ['unknown-field /States/A/Asign']],
  ['no Choices', machine({ A: { Type: 'Choice', Choices: [] } }), ['bad-value /States/A/Choices']],
  ['Wait without a time', machine({ A: { Type: 'Wait', End: true } }), ['missing-field /States/A']],
  ['Wait for a wrong time', machine({ A: { Type: 'Wait', Seconds: -1, End: true } }), ['bad-value /States/A/Seconds']],
  [
    'Wait until a wrong time',
    machine({ A: { Type: 'Wait', Timestamp: 'noon', End: true } }),
    ['bad-value /States/A/Timestamp'],
  ],
  ['a Task without a Resource', machine({ A: { Type: 'Task', End: true } }), ['missing-field /States/A']],
  [
    'Retry with wrong numbers',
    machine({
      A: {
        Type: 'Task',
        Resource: 'arn:aws:states:::a:b',
        End: true,
        Retry: [{ ErrorEquals: [], MaxAttempts: -1, BackoffRate: 0.5, JitterStrategy: 'HALF' }],
      },
    }),
    ['ErrorEquals', 'MaxAttempts', 'BackoffRate', 'JitterStrategy'].map(
      (field) => `bad-value /States/A/Retry/0/${field}`,
    ),
  ],
  [
    'syntax deep inside',
    machine({ A: { ...A, Output: { a: [1, '{% ( %}'] } } }),
    ['expression-syntax /States/A/Output/a/1'],
  ],
  ['blanks around the marks make it a text', machine({ A: { ...A, Output: ' {% ( %}' } }), []],
];

test.each(cases)('%s', (_name, json, expected) => {
  expect(validateMachine(json).map(({ rule, path }) => `${rule} ${path}`)).toEqual(expected);
});

test('parseMachine says what is wrong with text that is no JSON', () => {
  expect(parseMachine('{"StartAt":')).toMatchObject({ faults: [{ rule: 'not-json', path: '' }] });
  expect(parseMachine(JSON.stringify(machine({ A })))).toEqual({ machine: machine({ A }) });
});
