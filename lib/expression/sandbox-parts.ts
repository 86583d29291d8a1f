/**
 * The parts that the sandbox's thread is started with. When run from the sources, the thread's code is bundled here and moment is loaded in
 * it; in a bundle, sandbox-parts-built.ts replaces this module (build.mjs).
 */
import { bundleSandbox } from '../../bundle-sandbox.mjs';
import type { SandboxParts } from './sandbox-messages.ts';

export async function sandboxParts(): Promise<SandboxParts> {
  const { code, wasm, moment } = await bundleSandbox();
  return { code, wasm, begin: { moment } };
}
