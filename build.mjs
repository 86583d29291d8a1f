// Bundles the command line, the constructs (`trowel/cloud`) and the functions on AWS into dist/. Chunks keep what is rarely needed (sandbox, time zones, SDK clients)
// out of the start: `trowel --version` must not load them.
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { bundleSandbox } from './bundle-sandbox.mjs';

const sandbox = await bundleSandbox();

/** Puts the code of the sandbox's thread into the bundle, in place of the module that makes it. */
const sandboxCode = {
  name: 'sandbox-code',
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]lib[\\/]expression[\\/]sandbox-code\.ts$/ }, async () => {
      const contents = `export const sandboxCode = async () => ${JSON.stringify(sandbox.code)};`;
      return { contents, loader: 'js' };
    });
  },
};

// npm runs `prepare` of a folder that another project's package.json names: what is built is good for that, and nothing of it may be missing meanwhile.
const { npm_lifecycle_event: script, INIT_CWD: caller = process.cwd() } = process.env;
if (script === 'prepare' && resolve(caller) !== process.cwd() && existsSync('dist/trowel.js')) process.exit(0);

const common = {
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  minify: true,
  legalComments: 'linked',
  metafile: true,
  plugins: [sandboxCode],
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
    chunkNames: 'chunks/[name]-[hash]',
    splitting: true,
  }),
  // One file a function on AWS: handler `index.handler`. The SDK is in it, so that what runs is what was tested.
  build({
    ...common,
    entryPoints: ['session', 'evaluate', 'render', 'launch', 'task-stopped', 'http', 'notify'].map((name) => ({
      in: `lambdas/${name}/handler.ts`,
      out: `lambdas/${name}/index`,
    })),
    outdir: 'dist',
    outExtension: { '.js': '.mjs' },
    legalComments: 'none',
  }),
  declareTypes(),
]);

// What is bundled must be distributed with its licences, and most files carry none in a comment.
await writeFile(
  'dist/THIRD-PARTY-LICENSES.txt',
  await licences([cli, functions].flatMap(({ metafile }) => Object.keys(metafile.inputs)).concat(sandbox.files)),
);

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
