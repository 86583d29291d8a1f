/** `params:` of trowel.yml: what `session` puts under the parameters of an execution's input. */
import { isMapping } from '../asl/json.ts';
import { merged } from '../contract/stores.ts';
import { ProjectFiles } from '../language/config/project-files.ts';
import type { Diagnostic } from '../language/diagnostic.ts';
import { Report } from '../language/report.ts';
import type { Mapping } from '../language/workflow.ts';
import { reportFileFault } from '../language/yaml/include.ts';
import { toValue } from '../language/yaml/tree.ts';
import { readTree } from '../language/yaml/yaml.ts';

/** The files' mappings, later ones over earlier. */
export function readParameters(
  dir: string,
  paths: readonly string[],
): { readonly params: Mapping; readonly diagnostics: readonly Diagnostic[] } {
  const files = new ProjectFiles(dir);
  const report = new Report();
  let params: Mapping = {};
  for (const path of paths) {
    const read = files.read(path);
    if ('fault' in read) {
      reportFileFault(read.fault, path, undefined, report);
      continue;
    }
    const tree = readTree(path, read.text, report);
    const value = tree ? toValue(tree) : null;
    if (isMapping(value)) params = merged(params, value);
    else if (value !== null) report.error('param-value', tree?.span, `The file ${path} is not a mapping`);
  }
  return { params, diagnostics: report.diagnostics };
}
