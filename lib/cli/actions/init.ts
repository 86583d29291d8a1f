import { relative, resolve } from 'node:path';
import { plural } from '../../events/text.ts';
import { capture } from '../../host/capture.ts';
import { PYTHON_VERSIONS } from '../../language/config/project-config.ts';
import { EXIT } from '../exit-codes.ts';
import { commandName } from '../render/invocation.ts';
import { shellQuote } from '../render/text.ts';
import type { Terminal } from '../terminal.ts';
import { writeProject } from './new-project.ts';
import { ownOrigin } from './own-origin.ts';
import { packageFile } from './package-file.ts';

export async function init(terminal: Terminal, dir: string): Promise<number> {
  const target = resolve(terminal.cwd, dir);
  const version = await pythonHere(terminal.env);
  const { written, kept, added } = await writeProject(packageFile('templates/project'), target, {
    origin: ownOrigin(),
    python: version,
  });
  const { colors } = terminal.stdout;
  const here = relative(terminal.cwd, target);
  const trowel = commandName(terminal.env);
  const steps = [...(here === '' ? [] : [`cd ${shellQuote(here)}`]), `${trowel} run main.dig`, `${trowel} check`];
  const deploy = ['npm install', 'npx cdk bootstrap', 'npx cdk deploy'];
  const list = (commands: readonly string[]): string =>
    commands.map((command) => `  ${colors.bold(command)}\n`).join('');
  const left = kept.length === 0 ? '' : `Left as they were: ${kept.join(', ')}\n\n`;
  const more = added.length === 0 ? '' : `Added to package.json: ${added.join(', ')}\n\n`;
  await terminal.stdout.write(
    `Wrote ${plural(written.length, 'file')} to ${here === '' ? 'this folder' : here}:\n${written.map((file) => `  ${file}\n`).join('')}\n` +
      `${more}${left}Next:\n${list(steps)}\nOn AWS, with credentials there:\n${list(deploy)}`,
  );
  return EXIT.ok;
}

/** `3.11`, of `python3`; undefined where the command of that version is missing too, which `python.version` asks for, or Trowel does not know it. */
async function pythonHere(env: NodeJS.ProcessEnv): Promise<string | undefined> {
  const version = async (command: string): Promise<string | undefined> => {
    const asked = await capture([command, '-c', 'import sys; print("%d.%d" % sys.version_info[:2])'], { env });
    return asked.code === 0 ? asked.output.trim() : undefined;
  };
  const found = await version('python3');
  if (found === undefined || !PYTHON_VERSIONS.some((known) => known === found)) return undefined;
  return (await version(`python${found}`)) === found ? found : undefined;
}
