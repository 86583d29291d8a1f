/** As ../faults.test.ts, for cases with thousands of tasks or megabytes. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'vitest';
import { runFault } from '../run-fault.ts';

const FAULTS = join(import.meta.dirname, 'faults');

it.each(readdirSync(FAULTS).sort())('%s', (name) => runFault(join(FAULTS, name)));
