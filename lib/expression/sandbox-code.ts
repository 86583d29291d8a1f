import { bundleSandbox } from '../../bundle-sandbox.mjs';

/** The code of the sandbox's thread, one text with all that it needs. A bundle has this module replaced by one that holds the text (build.mjs). */
export async function sandboxCode(): Promise<string> {
  return (await bundleSandbox()).code;
}
