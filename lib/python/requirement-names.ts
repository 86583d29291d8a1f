import { normalised } from '../host/versions.ts';

export interface RequirementNames {
  readonly names: readonly string[];
  /** Whether every line names its package: an address, a path or another index may bring anything. */
  readonly complete: boolean;
}

/** Distributions that requirement lines name, normalised. */
export function requirementNames(content: string): RequirementNames {
  const names = new Set<string>();
  let complete = true;
  for (const line of content.split(/\r?\n/)) {
    const text = line.replace(/(?:^|\s)#.*$/, '').trim();
    if (text === 'constraints:') break;
    // Files that a line names have been read already.
    if (text === '' || /^(?:-r|-c|--requirement|--constraint|--hash|--index-url|--extra-index-url|-i)\b/.test(text))
      continue;
    const egg = /[#&]egg=([A-Za-z0-9][\w.-]*)/.exec(text)?.[1];
    const plain = /^([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[[^\]]*\]\s*)?(?:$|[=<>!~;@(,\s])/.exec(text)?.[1];
    const name =
      egg ??
      (text.startsWith('-') || /^[./]|:\/\/|\.(?:whl|zip|tar\.gz)$/.test(text.split(/\s/)[0] ?? '')
        ? undefined
        : plain);
    if (name === undefined) complete = false;
    else names.add(normalised(name));
  }
  return { names: [...names], complete };
}
