/**
 * JSON Schemas for editors (VS Code's YAML extension): of .dig files from the operators' table, of trowel.yml from its zod schema.
 * `node --import tsx lib/language/write-schemas.ts` writes them to schemas/; a test holds the files against this.
 */
import { OPERATORS, type OperatorSpec, type OptionSpec, type ValueType } from './operators.ts';
import { SCHEDULE_KINDS } from './schedule.ts';

export type JsonSchema = { [key: string]: unknown };

const DRAFT = 'http://json-schema.org/draft-07/schema#';
const EXPRESSION: JsonSchema = { type: 'string', pattern: '\\$\\{' };
const DURATION = '^\\s*(\\d+\\s*[dD])?\\s*(\\d+\\s*[hH])?\\s*(\\d+\\s*[mM])?\\s*(\\d+\\s*[sS])?\\s*$';
const node = (description?: string): JsonSchema => ({
  ...(description && { description }),
  $ref: '#/definitions/node',
});
const flag = (description: string): JsonSchema => ({
  description,
  type: ['boolean', 'string'],
  enum: [true, false, 'true', 'false'],
});

const TYPES: { readonly [type in ValueType]: JsonSchema } = {
  text: { type: ['string', 'number', 'boolean', 'null'] },
  boolean: { anyOf: [{ type: 'boolean' }, { enum: ['true', 'false', ''] }, EXPRESSION] },
  integer: { anyOf: [{ type: 'integer' }, { type: 'string', pattern: '^\\s*[-+]?\\d+\\s*$' }, EXPRESSION] },
  number: { anyOf: [{ type: 'number' }, { type: 'string', pattern: '^[-+0-9.eE]+$' }, EXPRESSION] },
  duration: { anyOf: [{ type: 'string', pattern: DURATION }, EXPRESSION] },
  seconds: {
    anyOf: [
      { type: 'number', minimum: 0 },
      { type: 'string', pattern: '^\\s*\\d+\\s*$' },
      { type: 'string', pattern: DURATION },
      EXPRESSION,
    ],
  },
  list: { anyOf: [{ type: 'array' }, EXPRESSION] },
  mapping: { anyOf: [{ type: 'object' }, EXPRESSION] },
  any: {},
};

function optionSchema({ type, oneOf, default: byDefault, keys, description }: OptionSpec): JsonSchema {
  const types = typeof type === 'string' ? [type] : type;
  const base: JsonSchema = oneOf
    ? { anyOf: [{ enum: oneOf }, EXPRESSION] }
    : keys && types.includes('mapping')
      ? {
          anyOf: [
            mappingSchema(keys),
            ...types.filter((one) => one !== 'mapping').map((one) => TYPES[one]),
            EXPRESSION,
          ],
        }
      : types.length === 1 && types[0]
        ? TYPES[types[0]]
        : { anyOf: types.map((one) => TYPES[one]) };
  return { description, ...base, ...(byDefault !== undefined && { default: byDefault }) };
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
    description: 'Environment variables of the processes here and below; may hold ${secret:KEY}.',
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
      EXPRESSION,
    ],
  },
  _background: flag('Do not wait for the tasks before this one.'),
  _after: {
    description: 'Earlier tasks of the parallel group to wait for.',
    type: ['array', 'string'],
    items: { type: 'string', pattern: '^\\+' },
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

/** `if` a task has this operator, `then` its options and body. */
function taskRule(name: string, spec: OperatorSpec): JsonSchema {
  return {
    if: { type: 'object', required: [`${name}>`] },
    // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
    then: {
      properties: mapValues(spec.options, optionSchema),
      propertyNames: { not: { pattern: '^\\+' } },
      ...(spec.body === 'do' && { required: ['_do'] }),
      ...(spec.body === 'if' && { anyOf: [{ required: ['_do'] }, { required: ['_else_do'] }] }),
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
    description: 'A digdag-style workflow: +tasks in order, each with an operator or with +tasks of its own.',
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
            then: { propertyNames: { anyOf: [{ pattern: '^\\+' }, { enum: GROUP_KEYS }] } },
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
      start: { description: 'First day, YYYY-MM-DD.', type: 'string', pattern: '^\\d{4}-\\d\\d-\\d\\d$' },
      end: { description: 'Last day, YYYY-MM-DD.', type: 'string', pattern: '^\\d{4}-\\d\\d-\\d\\d$' },
      _type: { enum: kinds.map(([name]) => name) },
      _command: {},
    },
    additionalProperties: false,
    anyOf: [{ required: ['_type'] }, ...kinds.map(([name]) => ({ required: [`${name}>`] }))],
  };
}

export async function trowelJsonSchema(): Promise<JsonSchema> {
  const { z } = await import('zod');
  const { trowelSchema } = await import('./trowel-schema.ts');
  const schema = z.toJSONSchema(trowelSchema, { target: 'draft-7', unrepresentable: 'any' });
  const { $schema: _, ...rest } = schema;
  return { $schema: DRAFT, title: 'Trowel project (trowel.yml)', ...rest };
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
