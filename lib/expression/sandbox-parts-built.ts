/** The sandbox's files in a built package. The build puts them into one folder, for the command line and for the functions on AWS. */
import { readFile } from 'node:fs/promises';
import type { SandboxParts } from './sandbox-messages.ts';

/** As seen from a bundle's chunks; build.mjs defines it. */
declare const SANDBOX_FOLDER: string;

export async function sandboxParts(): Promise<SandboxParts> {
  const folder = new URL(SANDBOX_FOLDER, import.meta.url);
  const read = (name: string): Promise<Buffer> => readFile(new URL(name, folder));
  const [code, wasm, image] = await Promise.all([read('thread.cjs'), read('quickjs.wasm'), read('image.bin')]);
  return { code: code.toString(), wasm, begin: { image } };
}
