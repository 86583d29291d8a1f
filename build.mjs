// Bundles the command line, the constructs (`trowel/cloud`) and the functions on AWS into dist/. Chunks keep what is rarely needed (sandbox, time zones, SDK clients)
// out of the start: `trowel --version` must not load them.
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { Worker } from 'node:worker_threads';
import { build } from 'esbuild';
import { bundleSandbox } from './bundle-sandbox.mjs';

const sandbox = await bundleSandbox();

/** Gives a bundle the sandbox's built parts, in place of the module that makes them. */
const sandboxParts = {
  name: 'sandbox-parts',
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]lib[\\/]expression[\\/]sandbox-parts\.ts$/ }, async () => ({
      contents: "export * from './sandbox-parts-built.ts';",
      loader: 'js',
      resolveDir: 'lib/expression',
    }));
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
  plugins: [sandboxParts],
  splitting: true,
  chunkNames: 'chunks/[name]-[hash]',
  banner: {
    // CommonJS dependencies inside an ES module bundle need a require of their own.
    js: "import { createRequire as __createRequire } from 'node:module';const require = __createRequire(import.meta.url);",
  },
};

await rm('dist', { recursive: true, force: true });
const [cli, functions] = await Promise.all([
  build({
    ...common,
    entryPoints: [
      { in: 'bin/trowel.ts', out: 'trowel' },
      { in: 'lib/cloud/index.ts', out: 'cloud' },
    ],
    outdir: 'dist',
    define: { SANDBOX_FOLDER: '"../lambdas/sandbox/"' },
  }),
  // The functions on AWS: one folder for all, so that what they share is in it once. The SDK is too, so that what runs is what was tested.
  build({
    ...common,
    entryPoints: ['session', 'evaluate', 'render', 'launch', 'task-stopped', 'http', 'notify', 'network'].map(
      (name) => ({
        in: `lambdas/${name}/handler.ts`,
        out: `${name}/index`,
      }),
    ),
    outdir: 'dist/lambdas',
    define: { SANDBOX_FOLDER: '"../sandbox/"' },
    outExtension: { '.js': '.mjs' },
    legalComments: 'none',
  }),
  declareTypes(),
  writeSandbox(),
]);

// What is bundled must be distributed with its licences, and most files carry none in a comment.
await writeFile(
  'dist/THIRD-PARTY-LICENSES.txt',
  await licences([cli, functions].flatMap(({ metafile }) => Object.keys(metafile.inputs)).concat(sandbox.files)),
);

/** The sandbox's parts, with the memory in which moment was loaded; and a thread that begins from it has to work. */
async function writeSandbox() {
  const { code, wasm, moment } = sandbox;
  const start = async (begin) => {
    const worker = new Worker(code, { eval: true, workerData: { wasm, begin } });
    const [{ image }] = await once(worker, 'message');
    worker.postMessage({ source: 'return moment.utc(0).format("YYYY")', scope: '{}', timezone: 'UTC' });
    const [{ result }] = await once(worker, 'message');
    await worker.terminate();
    if (result.text !== '1970') throw new Error(`The sandbox does not work: ${result.message}`);
    return image;
  };
  const image = await start({ moment });
  await start({ image });
  await mkdir('dist/lambdas/sandbox', { recursive: true });
  const files = { 'thread.cjs': code, 'quickjs.wasm': wasm, 'image.bin': image };
  await Promise.all(Object.entries(files).map(([name, text]) => writeFile(`dist/lambdas/sandbox/${name}`, text)));
}

/** Declarations of `trowel/cloud` and of what they name, in dist/types: they mirror the sources. */
async function declareTypes() {
  await promisify(execFile)(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.types.json']);
  const needed = new Set();
  const waiting = ['dist/types/lib/cloud/index.d.ts'];
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    if (needed.has(file)) continue;
    needed.add(file);
    const text = await readFile(file, 'utf8');
    await writeFile(file, text.replaceAll(/(['"]\.{1,2}\/[^'"]+)\.ts(?=['"])/g, '$1.js'));
    for (const [, path] of text.matchAll(/['"](\.{1,2}\/[^'"]+)\.ts['"]/g))
      waiting.push(join(dirname(file), `${path}.d.ts`));
  }
  // The compiler writes those of every file that is imported anywhere below.
  for (const entry of await readdir('dist/types', { recursive: true, withFileTypes: true })) {
    const file = join(entry.parentPath, entry.name);
    if (entry.isFile() && !needed.has(file)) await rm(file);
  }
}

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
