import { join } from 'node:path';

/** The bundled command line, as users run it; test/setup.ts makes it before any test. */
export const TROWEL = join(import.meta.dirname, '..', 'dist', 'trowel.js');
