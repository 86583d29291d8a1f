import { merged } from '../../contract/stores.ts';
import { parseMapping, readRequested } from '../../language/mapping-file.ts';
import type { Project } from '../../language/project.ts';
import type { Mapping } from '../../language/workflow.ts';

/**
 * Session parameters: the `params:` files of trowel.yml, under those that are given. Throws a RequestFault for a file that cannot be read.
 * @param given later ones over earlier
 */
export async function sessionParams(project: Project, given: readonly Mapping[] = []): Promise<Mapping> {
  let params: Mapping = {};
  for (const file of project.config.params) {
    params = merged(params, parseMapping(file, await readRequested(project.dir, file, 'failed'), 'failed'));
  }
  return given.reduce(merged, params);
}
