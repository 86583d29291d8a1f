/**
 * The tables of docs/operators.md and docs/trowel-yml.md, from the tables that the program reads:
 * `node --import tsx tools/write-reference.ts` writes them between their marks, and a test holds the files against this.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { CPU_SIZES, memoryRange } from '../lib/language/fargate-sizes.ts';
import { trowelJsonSchema } from '../lib/language/json-schema.ts';
import type { OptionSpec, ValueType } from '../lib/language/operators/spec.ts';
import { operatorSpec } from '../lib/language/operators.ts';

/** A table is between `<!-- options NAME -->` and `<!-- end -->`; `NAME` is an operator, `trowel.yml`, or `sizes` of Fargate. */
const MARK = /<!-- options (\S+) -->\n[\s\S]*?<!-- end -->/g;

/** The page with every table as it should be. */
export async function withTables(page: string): Promise<string> {
  const projectTable = configTable((await trowelJsonSchema()) as Schema);
  return page.replace(MARK, (_, name: string) => {
    const table = name === 'trowel.yml' ? projectTable : name === 'sizes' ? sizeTable() : optionTable(name);
    return `<!-- options ${name} -->\n${table}\n<!-- end -->`;
  });
}

function optionTable(operator: string): string {
  const spec = operatorSpec(operator);
  if (spec === undefined)
    throw new Error(`docs/operators.md has a table of options for ${operator}>, which is no operator`);
  const rows = Object.entries({ [`${operator}>`]: spec.command, ...spec.options }).flatMap(([key, option]) => [
    optionRow(key, option),
    ...Object.entries(option.keys ?? {}).map(([inner, each]) =>
      optionRow(`${key}.${inner}`.replace('>.', '>: '), each),
    ),
  ]);
  return ['| key | type | default | |', '|---|---|---|---|', ...rows].join('\n');
}

function sizeTable(): string {
  return ['| cpu | memory |', '|---|---|', ...CPU_SIZES.map((cpu) => row(String(cpu), memoryRange(cpu)))].join('\n');
}

/** Those whose own name says nothing. */
const TYPE_NAMES: { readonly [type in ValueType]?: string } = {
  cpu: CPU_SIZES.map((cpu) => `\`${cpu}\``).join(', '),
  memory: 'text',
  disk: 'integer',
};

function optionRow(key: string, { type, oneOf, default: byDefault, required, description }: OptionSpec): string {
  const names = (typeof type === 'string' ? [type] : type).map((each) => TYPE_NAMES[each] ?? each);
  const types = oneOf?.map((each) => `\`${each}\``).join(', ') ?? names.join(', ');
  const otherwise = required
    ? 'required'
    : byDefault === undefined
      ? ''
      : `\`${JSON.stringify(byDefault).replace(/^"(.*)"$/, '$1')}\``;
  return row(`\`${key}\``, types, otherwise, description);
}

interface Schema {
  readonly description?: string;
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly properties?: { readonly [key: string]: Schema };
  readonly additionalProperties?: Schema | boolean;
  readonly anyOf?: readonly Schema[];
}

function configTable(schema: Schema): string {
  const rows = Object.entries(schema.properties ?? {}).flatMap(([key, value]) => configRows(key, value));
  return ['| key | type | |', '|---|---|---|', ...rows].join('\n');
}

function configRows(key: string, schema: Schema): string[] {
  const { properties, additionalProperties: each } = schema;
  const inner =
    properties ?? (typeof each === 'object' && each.properties ? prefixed('NAME', each.properties) : undefined);
  return [
    row(`\`${key}\``, typeOf(schema), schema.description ?? ''),
    ...Object.entries(inner ?? {}).flatMap(([name, value]) => configRows(`${key}.${name}`, value)),
  ];
}

function prefixed(name: string, properties: { readonly [key: string]: Schema }): { [key: string]: Schema } {
  return Object.fromEntries(Object.entries(properties).map(([key, value]) => [`${name}.${key}`, value]));
}

const NAMES: { readonly [type: string]: string } = {
  string: 'text',
  array: 'list',
  object: 'mapping',
  integer: 'integer',
  number: 'number',
  boolean: 'true, false',
};

function typeOf(schema: Schema): string {
  if (schema.enum !== undefined) return schema.enum.map((value) => `\`${value}\``).join(', ');
  if (schema.anyOf !== undefined) return [...new Set(schema.anyOf.map(typeOf))].join(' or ');
  return NAMES[schema.type ?? ''] ?? '';
}

function row(...cells: string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`.replaceAll(/ {2,}/g, ' ');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const name of ['operators.md', 'trowel-yml.md']) {
    const file = new URL(`../docs/${name}`, import.meta.url);
    writeFileSync(file, await withTables(readFileSync(file, 'utf8')));
  }
}
