/**
 * Faults that users met, and what is right (faults/NAME): small projects, each with a case.yaml that says which commands are run in it and what is seen of
 * them. Cases of long runs are in slow/.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'vitest';
import { runFault } from './run-fault.ts';

const FAULTS = join(import.meta.dirname, 'faults');

it.concurrent.each(readdirSync(FAULTS).sort())('%s', (name) => runFault(join(FAULTS, name)));
