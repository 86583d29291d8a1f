import { expressionIn } from './expression.ts';
import { isMapping } from './json.ts';
import type { State } from './types.ts';

/**
 * The fields of each type of state, JSONata side (https://states-language.net/, AWS's pages on the state types), with the values that each
 * allows. A check returns what was expected, or undefined.
 */
export interface Field {
  readonly required?: true;
  readonly check?: (value: unknown) => string | undefined;
}

type Fields = { readonly [field: string]: Field };

function isExpression(value: unknown): boolean {
  return typeof value === 'string' && expressionIn(value) !== undefined;
}

const text: Field = { check: (value) => (typeof value === 'string' ? undefined : 'a text') };
const object: Field = { check: (value) => (isMapping(value) ? undefined : 'an object') };
const list: Field = {
  check: (value) => (Array.isArray(value) && value.length > 0 ? undefined : 'a list that is not empty'),
};
const possiblyEmptyList: Field = { check: (value) => (Array.isArray(value) ? undefined : 'a list') };
const any: Field = {};
const argumentsField: Field = {
  check: (value) => (isMapping(value) || isExpression(value) ? undefined : 'an object or an expression'),
};

/** An ISO 8601 time with seconds or without, and always with a zone: `Z` or an offset. */
const TIMESTAMP = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})$/;

export function isTimestamp(text: string): boolean {
  return TIMESTAMP.test(text) && !Number.isNaN(Date.parse(text));
}

function integer(least: number, most = 99_999_999): Field {
  return {
    check: (value) =>
      Number.isInteger(value) && Number(value) >= least && Number(value) <= most
        ? undefined
        : `a whole number from ${least} to ${most}`,
  };
}

function orExpression(field: Field): Field {
  return {
    check: (value) => {
      const expected = isExpression(value) ? undefined : field.check?.(value);
      return expected === undefined ? undefined : `${expected}, or an expression`;
    },
  };
}

function required(field: Field): Field {
  return { ...field, required: true };
}

const common: Fields = { Type: required(text), Comment: text, QueryLanguage: text };
const exit: Fields = { Assign: object, Output: any };
const transition: Fields = {
  Next: text,
  End: { check: (value) => (typeof value === 'boolean' ? undefined : 'true or false') },
};
const recovery: Fields = { Retry: possiblyEmptyList, Catch: possiblyEmptyList };

export const STATE_FIELDS: { readonly [type in State['Type']]: Fields } = {
  Pass: { ...common, ...exit, ...transition },
  Task: {
    ...common,
    ...exit,
    ...transition,
    ...recovery,
    Resource: {
      required: true,
      check: (value) => (typeof value === 'string' && value.startsWith('arn:') ? undefined : 'an ARN'),
    },
    Arguments: argumentsField,
    TimeoutSeconds: orExpression(integer(1)),
    HeartbeatSeconds: orExpression(integer(1)),
    Credentials: {
      check: (value) =>
        isExpression(value) || (isMapping(value) && typeof value.RoleArn === 'string' && value.RoleArn !== '')
          ? undefined
          : 'an object with a RoleArn, or an expression',
    },
  },
  Choice: { ...common, ...exit, Choices: required(list), Default: text },
  Wait: {
    ...common,
    ...exit,
    ...transition,
    Seconds: orExpression(integer(0)),
    Timestamp: orExpression({
      check: (value) =>
        typeof value === 'string' && isTimestamp(value)
          ? undefined
          : 'a time with a zone, such as 2026-01-31T12:00:00Z',
    }),
  },
  Succeed: { ...common, Output: any },
  Fail: { ...common, Error: text, Cause: text },
  Parallel: { ...common, ...exit, ...transition, ...recovery, Branches: required(list), Arguments: argumentsField },
  Map: {
    ...common,
    ...exit,
    ...transition,
    ...recovery,
    ItemProcessor: required(object),
    Items: orExpression({
      check: (value) => (Array.isArray(value) || isMapping(value) ? undefined : 'a list or an object'),
    }),
    ItemSelector: any,
    MaxConcurrency: orExpression(integer(0)),
    ToleratedFailurePercentage: orExpression({
      check: (value) =>
        typeof value === 'number' && value >= 0 && value <= 100 ? undefined : 'a number from 0 to 100',
    }),
    ToleratedFailureCount: orExpression(integer(0)),
    ItemBatcher: object,
    ItemReader: object,
    ResultWriter: object,
    Label: {
      check: (value) =>
        typeof value === 'string' && /^[\w-]{1,40}$/.test(value) ? undefined : 'at most 40 letters, digits, - and _',
    },
  },
};

export const MACHINE_FIELDS: Fields = {
  Comment: text,
  QueryLanguage: text,
  StartAt: required(text),
  States: required(object),
  TimeoutSeconds: integer(1),
  Version: text,
};

/** A branch or an ItemProcessor. Its states may have a QueryLanguage, it may not. */
export const PROCESSOR_FIELDS: Fields = {
  Comment: text,
  StartAt: required(text),
  States: required(object),
  ProcessorConfig: object,
};

export const RETRIER_FIELDS: Fields = {
  Comment: text,
  ErrorEquals: required(list),
  IntervalSeconds: integer(1),
  MaxAttempts: integer(0),
  BackoffRate: {
    check: (value) => (typeof value === 'number' && value >= 1 ? undefined : 'a number of at least 1'),
  },
  MaxDelaySeconds: integer(1, 31_622_400),
  JitterStrategy: { check: (value) => (value === 'FULL' || value === 'NONE' ? undefined : 'FULL or NONE') },
};

export const CATCHER_FIELDS: Fields = { Comment: text, ErrorEquals: required(list), Next: required(text), ...exit };

export const CHOICE_RULE_FIELDS: Fields = {
  Comment: text,
  Condition: {
    required: true,
    check: (value) => (typeof value === 'boolean' || isExpression(value) ? undefined : 'an expression'),
  },
  Next: required(text),
  ...exit,
};

/** Only in DISTRIBUTED mode. Fields on tolerated failures are accepted in both modes, but have no effect in the other. */
export const DISTRIBUTED_FIELDS = ['ItemBatcher', 'ItemReader', 'ResultWriter', 'Label'] as const;

/** Fields of JSONPath, and what to use instead in JSONata. */
export const JSONPATH_FIELDS: { readonly [field: string]: string } = {
  InputPath: 'an expression on $states.input',
  OutputPath: 'Output',
  ResultPath: 'Output or Assign',
  ResultSelector: 'Output or Assign',
  Parameters: 'Arguments (in a Map: ItemSelector)',
  Result: 'Output',
  ItemsPath: 'Items',
  SecondsPath: 'Seconds',
  TimestampPath: 'Timestamp',
  TimeoutSecondsPath: 'TimeoutSeconds',
  HeartbeatSecondsPath: 'HeartbeatSeconds',
  MaxConcurrencyPath: 'MaxConcurrency',
  ToleratedFailureCountPath: 'ToleratedFailureCount',
  ToleratedFailurePercentagePath: 'ToleratedFailurePercentage',
  ErrorPath: 'Error',
  CausePath: 'Cause',
  Variable: 'Condition',
  And: 'Condition',
  Or: 'Condition',
  Not: 'Condition',
  Iterator: 'ItemProcessor',
};
