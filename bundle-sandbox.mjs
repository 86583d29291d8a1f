// The sandbox's thread with QuickJS's WebAssembly and moment's source in it, so that nothing depends on where a bundle lies.
import { join } from 'node:path';
import { build } from 'esbuild';

/** `code` is to be run as CommonJS; `files` are in it. */
export async function bundleSandbox() {
  const { outputFiles, metafile } = await build({
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
    loader: { '.wasm': 'binary', '.min.js': 'text' },
  });
  return { code: outputFiles[0].text, files: Object.keys(metafile.inputs) };
}
