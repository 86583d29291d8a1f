// Bundles the command line and the functions on AWS into dist/. Chunks keep what is rarely needed (sandbox, time zones, SDK clients)
// out of the start: `trowel --version` must not load them.
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
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

const common = {
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  minify: true,
  legalComments: 'linked',
  metafile: true,
  plugins: [sandboxAssets],
  banner: {
    // CommonJS dependencies inside an ES module bundle need a require of their own.
    js: "import { createRequire as __createRequire } from 'node:module';const require = __createRequire(import.meta.url);",
  },
};

await rm('dist', { recursive: true, force: true });
const [cli, functions] = await Promise.all([
  build({
    ...common,
    entryPoints: ['bin/trowel.ts'],
    outdir: 'dist',
    chunkNames: 'chunks/[name]-[hash]',
    splitting: true,
  }),
  // One file a function on AWS: handler `index.handler`. The SDK is in it, so that what runs is what was tested.
  build({
    ...common,
    entryPoints: ['session', 'evaluate', 'launch', 'task-stopped', 'http', 'notify'].map((name) => ({
      in: `lambdas/${name}/handler.ts`,
      out: `lambdas/${name}/index`,
    })),
    outdir: 'dist',
    outExtension: { '.js': '.mjs' },
    legalComments: 'none',
  }),
]);

// What is bundled must be distributed with its licences, and most files carry none in a comment.
const embedded = ['node_modules/moment', 'node_modules/@jitl/quickjs-wasmfile-release-sync'];
await writeFile(
  'dist/THIRD-PARTY-LICENSES.txt',
  await licences([cli, functions].flatMap(({ metafile }) => Object.keys(metafile.inputs)).concat(embedded)),
);

/** The licence texts of the packages that these files belong to, each text once. */
async function licences(files) {
  const packages = new Set(files.flatMap((file) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0] ?? []));
  const owners = new Map();
  for (const folder of [...packages].sort()) {
    const { name, version, license } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'));
    const found = (await readdir(folder)).filter((file) => /^(licen[cs]e|copying|notice)\b/i.test(file)).sort();
    const parts = await Promise.all(found.map((file) => readFile(join(folder, file), 'utf8')));
    const text = parts.map((part) => part.trim()).join('\n\n') || `${license}; the package itself holds no text`;
    owners.set(text, new Set([...(owners.get(text) ?? []), `${name} ${version} (${license})`]));
  }
  const sections = [...owners].map(([text, names]) => `${[...names].join('\n')}\n\n${text}\n`);
  return sections.join(`\n${'-'.repeat(78)}\n\n`);
}
