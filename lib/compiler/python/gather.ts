/** Has everything read that the lookups will ask for: in rounds, from the modules that `py>` names to what those import. */

import { importedModules, modulesOnTheWay } from './closure.ts';
import type { Module } from './modules.ts';
import { absolute } from './modules.ts';
import type { PythonSources } from './outline.ts';

export interface Command {
  readonly command: string;
  readonly workdir: string;
}

/** A project of more files is read in part: what is left out is not known. */
const MOST_FILES = 5_000;

export async function gather(commands: readonly Command[], sources: PythonSources): Promise<void> {
  const paths = commands.map(({ command, workdir }) => ({ path: command.trim().split('.'), workdir }));
  await sources.load(
    [],
    paths.map(({ path: [top = ''] }) => top).filter((top) => top !== '' && !sources.isStandard(top)),
  );
  const seen = new Set<string>();
  let round: { readonly module: Module; readonly workdir: string }[] = paths.flatMap(({ path, workdir }) =>
    (modulesOnTheWay(path, workdir, sources) ?? []).map((module) => ({ module, workdir })),
  );
  while (round.length > 0 && seen.size < MOST_FILES) {
    const files = new Map<string, { readonly module: Module; readonly workdir: string }>();
    for (const each of round) {
      const { file } = each.module;
      if (file !== undefined && !seen.has(`${each.workdir}\n${file}`)) files.set(`${each.workdir}\n${file}`, each);
    }
    for (const id of files.keys()) seen.add(id);
    const read = [...files.values()];
    await sources.load(
      read.map(({ module }) => module.file!),
      [],
    );
    const own = read.filter(({ module }) => module.where === 'project');
    const tops = own.flatMap(({ module }) =>
      (sources.outline(module.file!)?.imports ?? []).flatMap(({ module: name, level }) => {
        const [top = ''] = absolute(module, level, name)?.split('.') ?? [];
        return top === '' || sources.isStandard(top) ? [] : [top];
      }),
    );
    await sources.load([], tops);
    round = own.flatMap(({ module, workdir }) =>
      (sources.outline(module.file!)?.imports ?? []).flatMap((each) =>
        importedModules(each, module, workdir, sources).flatMap((found) =>
          typeof found === 'string' ? [] : [{ module: found, workdir }],
        ),
      ),
    );
  }
}
