// What the sandbox's thread needs: its own code, QuickJS's WebAssembly and moment's source.
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { build } from 'esbuild';

const { resolve } = createRequire(import.meta.url);

/** `code` is to be run as CommonJS; `files` are all that is in it, in `wasm` and in `moment`. */
export async function bundleSandbox() {
  const wasmFile = resolve('@jitl/quickjs-wasmfile-release-sync/wasm');
  const momentFile = resolve('moment/min/moment.min.js');
  const [{ outputFiles, metafile }, wasm, moment] = await Promise.all([
    build({
      entryPoints: [join(import.meta.dirname, 'lib/expression/sandbox-thread.ts')],
      bundle: true,
      write: false,
      metafile: true,
      format: 'cjs',
      platform: 'node',
      target: 'node20',
      minify: true,
      legalComments: 'none',
      // Of no file: the code is handed to the thread as a text.
      define: { 'import.meta.url': '"file:///sandbox.js"' },
    }),
    readFile(wasmFile),
    readFile(momentFile, 'utf8'),
  ]);
  return { code: outputFiles[0].text, wasm, moment, files: [...Object.keys(metafile.inputs), wasmFile, momentFile] };
}
