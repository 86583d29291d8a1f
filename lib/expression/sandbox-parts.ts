/**
 * What the sandbox's thread is started with. From the sources, the thread's code is bundled and moment is loaded in it; a bundle has
 * this module replaced by sandbox-parts-built.ts (build.mjs).
 */
import { bundleSandbox } from '../../bundle-sandbox.mjs';
import type { SandboxParts } from './sandbox-messages.ts';

export async function sandboxParts(): Promise<SandboxParts> {
  const { code, wasm, moment } = await bundleSandbox();
  return { code, wasm, begin: { moment } };
}
