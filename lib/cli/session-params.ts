import { merged } from '../contract/stores.ts';
import type { Project } from '../language/project.ts';
import type { Mapping } from '../language/workflow.ts';
import type { ParamFlags } from './commands/command.ts';
import { EXIT } from './exit-codes.ts';
import { parseParams } from './parameters.ts';
import { readMapping } from './read-mapping.ts';

/** Session parameters, later ones over earlier: `params:` files of trowel.yml, `-P` files, `-p`. Throws a CliError for a file at fault. */
export async function sessionParams(
  cwd: string,
  project: { readonly dir: string; readonly config: Pick<Project['config'], 'params'> },
  flags: ParamFlags,
): Promise<Mapping> {
  const given = parseParams(flags.param ?? []);
  let params: Mapping = {};
  for (const file of project.config.params) params = merged(params, await readMapping(project.dir, file, EXIT.failed));
  for (const file of flags.paramsFile ?? []) params = merged(params, await readMapping(cwd, file));
  return merged(params, given);
}
