// Bundles the command line into dist/. Chunks keep what is rarely needed (sandbox, time zones, SDK clients)
// out of the start: `trowel --version` must not load them.
import { rm } from 'node:fs/promises';
import { build } from 'esbuild';

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
  banner: {
    // CommonJS dependencies inside an ES module bundle need a require of their own.
    js: "import { createRequire as __createRequire } from 'node:module';const require = __createRequire(import.meta.url);",
  },
});
