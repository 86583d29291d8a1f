import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';

type Env = NodeJS.ProcessEnv;

/** `$XDG_CONFIG_HOME/trowel`, by default `~/.config/trowel`. */
export function configFolder(env: Env = process.env): string {
  return join(base(env.XDG_CONFIG_HOME, '.config'), 'trowel');
}

/** `$XDG_CACHE_HOME/trowel`, by default `~/.cache/trowel`. */
export function cacheFolder(env: Env = process.env): string {
  return join(base(env.XDG_CACHE_HOME, '.cache'), 'trowel');
}

/** digdag's folder: `$DIGDAG_CONFIG_HOME`, by default `~/.config/digdag`. */
export function digdagFolder(env: Env = process.env): string {
  return env.DIGDAG_CONFIG_HOME || join(base(env.XDG_CONFIG_HOME, '.config'), 'digdag');
}

/** The XDG specification says to ignore paths that are not absolute. */
function base(folder: string | undefined, otherwise: string): string {
  return folder !== undefined && isAbsolute(folder) ? folder : join(homedir(), otherwise);
}
