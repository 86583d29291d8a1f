import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';

/**
 * The two files that the sandbox needs. This module reads them from node_modules; a bundle has it replaced (build.mjs) by one
 * that holds their contents, so that nothing depends on where the bundle lies.
 */
export async function sandboxAssets(): Promise<{ wasm: Uint8Array; moment: string }> {
  const require = createRequire(import.meta.url);
  const [wasm, moment] = await Promise.all([
    readFile(require.resolve('@jitl/quickjs-wasmfile-release-sync/wasm')),
    readFile(require.resolve('moment/min/moment.min.js'), 'utf8'),
  ]);
  return { wasm, moment };
}
