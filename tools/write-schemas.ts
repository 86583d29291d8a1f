/** Writes schemas/: `node --import tsx tools/write-schemas.ts`. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { digSchema, trowelJsonSchema } from '../lib/language/json-schema.ts';

const folder = new URL('../schemas/', import.meta.url);
mkdirSync(folder, { recursive: true });
for (const [name, schema] of [
  ['dig.schema.json', digSchema()],
  ['trowel.schema.json', await trowelJsonSchema()],
] as const) {
  writeFileSync(new URL(name, folder), `${JSON.stringify(schema, null, 2)}\n`);
}
