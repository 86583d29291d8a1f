/**
 * JSON Schemas for editors (VS Code's YAML extension): of .dig files from the operators' table, of trowel.yml from its zod schema. `node
 * --import tsx tools/write-schemas.ts` writes them to schemas/; a test compares the files with this.
 */
import { present } from '../asl/present.ts';
import { SCHEDULE_KINDS } from './dig/schedule.ts';
import { DURATION, WHOLE_SECONDS } from './duration.ts';
import { CPU_SIZES, DISK, SIZE, WANTED } from './fargate-sizes.ts';
import type { OperatorSpec, OptionSpec, ValueType } from './operators/spec.ts';
import { OPERATORS } from './operators.ts';

export type JsonSchema = { [key: string]: unknown };

const DRAFT = 'http://json-schema.org/draft-07/schema#';
/** `expected`: the message that yaml-language-server shows instead of the pattern. */
const pattern = (expected: string, source: string): JsonSchema => ({
  type: 'string',
  pattern: source,
  patternErrorMessage: `Expected ${expected}`,
});
/** An expression; the message also names what else is allowed there. */
const expression = (expected: string): JsonSchema => pattern(`${expected}, or an expression \${…}`, '\\$\\{');
const DAY = pattern('a day, as 2030-01-31', '^\\d{4}-\\d\\d-\\d\\d$');
const node = (description?: string): JsonSchema => ({
  ...(description && { description }),
  $ref: '#/definitions/node',
});
const flag = (description: string): JsonSchema => ({
  description,
  type: ['boolean', 'string'],
  enum: [true, false, 'true', 'false'],
});

/** A value of a few forms, or an expression; each text that is none of them gets the same message. */
function oneOf(expected: string, ...forms: readonly JsonSchema[]): JsonSchema {
  const text = `${expected}, or an expression \${…}`;
  const named = forms.map((form) => (form.pattern === undefined ? form : pattern(text, String(form.pattern))));
  return { anyOf: [...named, expression(expected)] };
}

const TYPES: { readonly [type in ValueType]: JsonSchema } = {
  text: { type: ['string', 'number', 'boolean', 'null'] },
  boolean: oneOf('true or false', { type: 'boolean' }, { enum: ['true', 'false', ''] }),
  integer: oneOf('a whole number', { type: 'integer' }, { pattern: '^\\s*[-+]?\\d+\\s*$' }),
  number: oneOf('a number', { type: 'number' }, { pattern: '^[-+0-9.eE]+$' }),
  duration: oneOf('a duration, as 30s, 10m, 1h 30m', { pattern: DURATION }),
  seconds: oneOf(
    'seconds or a duration, as 30, 30s, 1h 30m',
    { type: 'number', minimum: 0 },
    { pattern: WHOLE_SECONDS },
    { pattern: DURATION },
  ),
  list: oneOf('a list', { type: 'array' }),
  mapping: oneOf('a mapping', { type: 'object' }),
  any: {},
  cpu: oneOf(WANTED.cpu, { enum: [...CPU_SIZES, ...CPU_SIZES.map(String)] }),
  memory: oneOf(WANTED.memory, { pattern: SIZE.source }),
  disk: oneOf(WANTED.disk, { type: 'integer', minimum: DISK.least, maximum: DISK.most }, { pattern: '^\\s*\\d+\\s*$' }),
};

function optionSchema({ type, oneOf: choices, default: byDefault, keys, description }: OptionSpec): JsonSchema {
  const types = typeof type === 'string' ? [type] : type;
  const base: JsonSchema = choices
    ? oneOf(`one of ${choices.join(', ')}`, { enum: choices })
    : keys && types.includes('mapping')
      ? {
          anyOf: [
            mappingSchema(keys),
            ...types.filter((one) => one !== 'mapping').map((one) => TYPES[one]),
            expression('a mapping'),
          ],
        }
      : types.length === 1 && types[0]
        ? TYPES[types[0]]
        : { anyOf: types.map((one) => TYPES[one]) };
  return { description, ...base, ...present({ default: byDefault }) };
}

function mappingSchema(keys: { readonly [key: string]: OptionSpec }): JsonSchema {
  const required = Object.keys(keys).filter((key) => keys[key]?.required);
  return {
    type: 'object',
    properties: mapValues(keys, optionSchema),
    ...(required.length > 0 && { required }),
    additionalProperties: false,
  };
}

const DIRECTIVES: JsonSchema = {
  _export: { description: 'Parameters for this task and those below.', type: ['object', 'null'] },
  _env: {
    description: 'Environment variables of the processes here and below; may contain ${secret:KEY}.',
    type: ['object', 'null'],
    patternProperties: { '^[a-zA-Z_][a-zA-Z_0-9]*$': TYPES.text },
    additionalProperties: false,
  },
  _secrets: { description: 'Other names for secrets, e.g. {pg: {password: my.key}}.', type: ['object', 'boolean'] },
  _error: node('Runs when this has failed; `${error.message}` says why.'),
  _check: node('Runs when the task has succeeded; if it fails, the task has failed.'),
  _retry: {
    description: 'Tries after the first: a number, or limit, interval, interval_type, max_interval.',
    anyOf: [
      TYPES.integer,
      {
        type: 'object',
        properties: {
          limit: { ...TYPES.integer, description: 'Tries after the first.' },
          interval: { ...TYPES.seconds, description: 'Wait before a try: seconds, or 30s, 1h.' },
          interval_type: {
            enum: ['constant', 'exponential'],
            default: 'constant',
            description: 'exponential doubles the interval each time.',
          },
          max_interval: { ...TYPES.seconds, description: 'Longest interval, if exponential.' },
        },
        required: ['limit'],
        additionalProperties: false,
      },
    ],
  },
  _parallel: {
    description: 'Run the tasks below (or the rounds of a loop) at the same time; {limit: N}: N at a time.',
    anyOf: [
      { type: 'boolean' },
      { enum: ['true', 'false'] },
      { type: 'object', properties: { limit: TYPES.integer }, required: ['limit'], additionalProperties: false },
      expression('true, false or {limit: N}'),
    ],
  },
  _background: flag('Do not wait for the tasks before this one.'),
  _after: {
    description: 'Earlier tasks of the parallel group to wait for.',
    type: ['array', 'string'],
    items: pattern('the name of a task, such as +load', '^\\+'),
  },
  _disable: flag('Leave this task out.'),
};

const TASK_ONLY: JsonSchema = {
  _timeout: { ...TYPES.seconds, description: 'Longest time of the task, as 30m.' },
  _do: node('What is repeated, or runs if the value is true.'),
  _else_do: node('What runs if the value is false.'),
  _type: { description: 'Operator, as another form of `operator>:`.', type: 'string' },
  _command: { description: 'Value of the operator given by `_type`.' },
};

const NO_OPERATOR: JsonSchema = {
  pattern: '^\\+',
  patternErrorMessage: 'Without an operator, as py>, there are only +tasks and directives, as _parallel, here',
};
const GROUP_KEYS = [
  '_export',
  '_env',
  '_secrets',
  '_error',
  '_check',
  '_retry',
  '_parallel',
  '_background',
  '_after',
  '_disable',
];

/** The rule of an operator: `if` a task has it, `then` these are its options and body. */
function taskRule(name: string, spec: OperatorSpec): JsonSchema {
  return {
    if: { type: 'object', required: [`${name}>`] },
    // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
    then: {
      properties: mapValues(spec.options, optionSchema),
      propertyNames: { not: { pattern: '^\\+' } },
      ...(spec.kind === 'repeat' && { required: ['_do'] }),
      ...(spec.kind === 'condition' && { anyOf: [{ required: ['_do'] }, { required: ['_else_do'] }] }),
    },
  };
}

export function digSchema(): JsonSchema {
  const operators = Object.entries(OPERATORS);
  const commands = Object.fromEntries(
    operators.map(([name, spec]) => [
      `${name}>`,
      { ...optionSchema(spec.command), description: `${spec.description} ${spec.command.description}` },
    ]),
  );
  const hasOperator = { anyOf: [{ required: ['_type'] }, ...operators.map(([name]) => ({ required: [`${name}>`] }))] };
  return {
    $schema: DRAFT,
    title: 'Trowel workflow (.dig)',
    description: 'A digdag-style workflow: +tasks in order, each with an operator or with +tasks inside.',
    type: 'object',
    properties: {
      timezone: { description: 'Time zone of session times, as Asia/Tokyo. Default UTC.', type: 'string' },
      schedule: scheduleSchema(),
      sla: {
        description: 'What happens if the session is late.',
        type: 'object',
        properties: {
          time: { description: 'Time of day, HH:MM or HH:MM:SS.', type: 'string' },
          duration: { description: 'Time after the start, HH:MM or HH:MM:SS.', type: 'string' },
          alert: flag('Tell the notification channels; default true.'),
          fail: flag('Make the run fail; default false.'),
          ...commands,
        },
        patternProperties: { '^\\+': node() },
        oneOf: [{ required: ['time'] }, { required: ['duration'] }],
      },
      ...pick(DIRECTIVES, ['_export', '_env', '_error', '_check', '_retry', '_parallel']),
    },
    patternProperties: { '^\\+': node() },
    additionalProperties: false,
    definitions: {
      node: {
        type: 'object',
        properties: { ...commands, ...DIRECTIVES, ...TASK_ONLY },
        patternProperties: { '^\\+': node() },
        allOf: [
          ...operators.map(([name, spec]) => taskRule(name, spec)),
          {
            if: { type: 'object', not: hasOperator },
            // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
            then: { propertyNames: { anyOf: [NO_OPERATOR, { enum: GROUP_KEYS }] } },
          },
        ],
      },
    },
  };
}

function scheduleSchema(): JsonSchema {
  const kinds = Object.entries(SCHEDULE_KINDS);
  return {
    description: 'When the workflow starts by itself.',
    type: 'object',
    properties: {
      ...Object.fromEntries(
        kinds.map(([name, { form, example }]) => [
          `${name}>`,
          { description: `${form}, e.g. ${example}`, type: ['string', 'integer', 'null'] },
        ]),
      ),
      at: { description: 'The time, instead of the value.', type: 'string' },
      delay: { ...TYPES.seconds, description: 'Seconds from session time to run time (cron>, intervals).' },
      skip_on_overtime: flag('Skip a session while an earlier one runs.'),
      skip_delayed_by: { ...TYPES.duration, description: 'Skip a session that would start later than this.' },
      start: { description: 'First day, YYYY-MM-DD.', ...DAY },
      end: { description: 'Last day, YYYY-MM-DD.', ...DAY },
      _type: { enum: kinds.map(([name]) => name) },
      _command: {},
    },
    additionalProperties: false,
    anyOf: [{ required: ['_type'] }, ...kinds.map(([name]) => ({ required: [`${name}>`] }))],
  };
}

export async function trowelJsonSchema(): Promise<JsonSchema> {
  const { z } = await import('zod');
  const { trowelSchema } = await import('./config/trowel-schema.ts');
  const schema = z.toJSONSchema(trowelSchema, {
    target: 'draft-7',
    unrepresentable: 'any',
    override({ zodSchema, jsonSchema }) {
      const expected = jsonSchema.pattern === undefined ? undefined : messageOf(zodSchema as unknown as WithChecks);
      if (expected !== undefined) Object.assign(jsonSchema, { patternErrorMessage: `Expected ${expected}` });
    },
  });
  const { $schema: _, ...rest } = schema;
  return { $schema: DRAFT, title: 'Trowel project (trowel.yml)', ...rest };
}

interface WithChecks {
  readonly _zod: {
    readonly def: { readonly checks?: readonly WithChecks[]; readonly error?: (issue: object) => unknown };
  };
}

/** The message of the schema's own check. */
function messageOf({ _zod: { def } }: WithChecks): string | undefined {
  const checks = (def.checks ?? []).map(messageOf).filter((message) => message !== undefined);
  const message = checks.at(0) ?? def.error?.({});
  return typeof message === 'string' ? message : undefined;
}

function mapValues<T>(
  map: { readonly [key: string]: T },
  make: (value: T) => JsonSchema,
): { [key: string]: JsonSchema } {
  return Object.fromEntries(Object.entries(map).map(([key, value]) => [key, make(value)]));
}

function pick(map: JsonSchema, keys: readonly string[]): JsonSchema {
  return Object.fromEntries(keys.map((key) => [key, map[key]]));
}
