import { shellQuote } from './text.ts';

/** How the user can call this program, for commands to paste: `npx trowel` if npm started it (npx, a script of package.json), else `trowel`. */
export function commandName(env: NodeJS.ProcessEnv): string {
  return env.npm_command === undefined ? 'trowel' : 'npx trowel';
}

/** A command line that a shell reads back as these words. */
export function commandLine(env: NodeJS.ProcessEnv, words: readonly string[]): string {
  return [commandName(env), ...words.map(shellQuote)].join(' ');
}
