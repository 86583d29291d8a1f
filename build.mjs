// Bundles the command line into dist/. Chunks keep what is rarely needed (sandbox, time zones, SDK clients)
// out of the start: `trowel --version` must not load them.
import { readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { build } from 'esbuild';

/** Puts the sandbox's WebAssembly and moment's source into the bundle, in place of the module that reads them from node_modules. */
const sandboxAssets = {
  name: 'sandbox-assets',
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]lib[\\/]expression[\\/]sandbox-assets\.ts$/ }, async () => {
      const { resolve } = createRequire(import.meta.url);
      const wasm = await readFile(resolve('@jitl/quickjs-wasmfile-release-sync/wasm'), 'base64');
      const moment = await readFile(resolve('moment/min/moment.min.js'), 'utf8');
      const contents = `export const sandboxAssets = async () => ({ wasm: Buffer.from('${wasm}', 'base64'), moment: ${JSON.stringify(moment)} });`;
      return { contents, loader: 'js' };
    });
  },
};

await rm('dist', { recursive: true, force: true });
await build({
  entryPoints: ['bin/trowel.ts'],
  outdir: 'dist',
  chunkNames: 'chunks/[name]-[hash]',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  minify: true,
  legalComments: 'linked',
  plugins: [sandboxAssets],
  banner: {
    // CommonJS dependencies inside an ES module bundle need a require of their own.
    js: "import { createRequire as __createRequire } from 'node:module';const require = __createRequire(import.meta.url);",
  },
});
