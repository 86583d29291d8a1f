import { shellQuote } from './text.ts';

/** How the user called this program, for commands that he is to paste: `npx trowel` from npx, else `trowel`. */
export function commandName(env: NodeJS.ProcessEnv): string {
  return env.npm_command === 'exec' ? 'npx trowel' : 'trowel';
}

/** A command line that a shell reads back as these words. */
export function commandLine(env: NodeJS.ProcessEnv, words: readonly string[]): string {
  return [commandName(env), ...words.map(shellQuote)].join(' ');
}
