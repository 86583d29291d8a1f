import { createHash } from 'node:crypto';
import { existsSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';

/** Variables that decide which Python a command is, or what it finds. */
const VARIABLES = ['VIRTUAL_ENV', 'PYENV_VERSION', 'PYTHONPATH', 'PYTHONHOME', 'CONDA_PREFIX', 'ASDF_PYTHON_VERSION'];
/** Files by which pyenv, asdf and mise choose a version. */
const VERSION_FILES = ['.python-version', '.tool-versions', 'mise.toml', '.mise.toml'];

/** Changes when a command may have become another Python; undefined if there is no such command. Nothing is started for it. */
export function interpreterMark(command: string, folder: string, env: NodeJS.ProcessEnv): string | undefined {
  const path = (env.PATH ?? '')
    .split(delimiter)
    .map((place) => join(place, command))
    .find((each) => existsSync(each));
  if (path === undefined) return undefined;
  const parts = [path, fileMark(realpathSync(path)), ...VARIABLES.map((name) => env[name] ?? '')];
  if (isScript(path)) {
    const home = env.HOME ?? homedir();
    const chosen = upwards(folder).flatMap((place) => VERSION_FILES.map((name) => join(place, name)));
    for (const file of [
      ...chosen,
      join(env.PYENV_ROOT ?? join(home, '.pyenv'), 'version'),
      join(home, '.tool-versions'),
    ])
      if (existsSync(file)) parts.push(fileMark(file));
  }
  return createHash('sha256').update(parts.join('\n')).digest('hex');
}

/** A file or folder as it is now. */
export function fileMark(path: string): string {
  const found = statSync(path, { throwIfNoEntry: false });
  return found === undefined ? path : `${path} ${found.mtimeMs} ${found.size}`;
}

/** A shim of a version manager. */
function isScript(path: string): boolean {
  try {
    return statSync(path).size < 10_000 && readFileSync(path, 'latin1').startsWith('#!');
  } catch {
    return false;
  }
}

function upwards(folder: string): string[] {
  const above = dirname(folder);
  return above === folder ? [folder] : [folder, ...upwards(above)];
}
