#!/usr/bin/env node
// The command's entry. `--version` must answer at once, so nothing is loaded here but what a command needs.
import { readFileSync } from 'node:fs';

const args = process.argv.slice(2);

function version(): string {
  // The same relative place in the repository (bin/trowel.ts) and in the package (dist/trowel.js).
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

if (args.length === 1 && (args[0] === '--version' || args[0] === '-V' || args[0] === 'version')) {
  process.stdout.write(`${version()}\n`);
} else {
  const { main } = await import('../lib/cli/main.ts');
  await main(args, version());
}
