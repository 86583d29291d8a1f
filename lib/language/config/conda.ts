/** Turns a conda environment.yml into suggested lines for trowel.yml. The user has to check them, since conda's packages are not pip's. */

import { isMapping } from '../../asl/json.ts';
import type { Value } from '../workflow.ts';
import { corrected } from '../yaml/yaml-faults.ts';
import { PYTHON_VERSIONS } from './project-config.ts';

/** Packages of conda that pip does not install. */
const NOT_PIP = new Set(['pip', 'setuptools', 'wheel', 'conda', 'anaconda', 'mkl', 'openssl', 'libgcc-ng', 'nodejs']);

/** Whether a parsed YAML file has a conda environment's form. */
export function isConda(value: Value): boolean {
  return isMapping(value) && Array.isArray(value.dependencies);
}

/** The lines to write instead, as a note. */
export function condaNote(value: Value): string {
  const dependencies = isMapping(value) ? value.dependencies : [];
  const lines: string[] = [];
  let version: string | undefined;
  for (const item of Array.isArray(dependencies) ? dependencies : []) {
    if (typeof item === 'string') {
      const [, name = '', number] = /^(?:[\w-]+::)?([\w.-]+)\s*=*\s*([\w.*]+)?/.exec(item) ?? [];
      if (name === 'python') version = number?.split('.').slice(0, 2).join('.');
      else if (name && !NOT_PIP.has(name)) lines.push(number ? `${name}==${number}` : item.replace(/^[\w-]+::/, ''));
    } else if (isMapping(item) && Array.isArray(item.pip)) {
      lines.push(...item.pip.filter((line) => typeof line === 'string'));
    }
  }
  const shown = lines.slice(0, 40).map((line) => `    - ${line}`);
  if (lines.length > shown.length) shown.push(`    # … ${lines.length - shown.length} more`);
  return corrected([
    'python:',
    ...(version
      ? [
          PYTHON_VERSIONS.some((each) => each === version)
            ? `  version: "${version}"`
            : `  version: "3.11"  # it was ${version}`,
        ]
      : []),
    '  requirements:',
    ...(shown.length > 0 ? shown : ['    - package==version']),
  ]);
}
