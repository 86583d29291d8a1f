/** package.json of a new project. */
import { relative } from 'node:path';
import { isMapping } from '../../asl/json.ts';
import { usageFault } from '../../language/request-fault.ts';

interface Manifest {
  readonly scripts?: { readonly [name: string]: string };
  readonly dependencies?: { readonly [name: string]: string };
  readonly devDependencies?: { readonly [name: string]: string };
}

/** @param origin a tarball or folder that it names in place of a version of Trowel */
export function withOrigin(text: string, target: string, origin: string | undefined): string {
  if (origin === undefined) return text;
  const manifest = JSON.parse(text) as Manifest;
  const path = relative(target, origin).replaceAll('\\', '/');
  const devDependencies = { ...manifest.devDependencies, trowel: `file:${path}` };
  return `${JSON.stringify({ ...manifest, devDependencies }, null, 2)}\n`;
}

/** The user's package.json with the packages and scripts of the template that it lacks. */
export function completedManifest(
  text: string,
  template: string,
): { readonly text: string; readonly added: readonly string[] } {
  const own = parsedManifest(text);
  const wanted = JSON.parse(template) as Manifest;
  const present = { ...own.dependencies, ...own.devDependencies };
  const packages = Object.entries(wanted.devDependencies ?? {}).filter(([name]) => !(name in present));
  const scripts = Object.entries(wanted.scripts ?? {}).filter(([name]) => !(name in (own.scripts ?? {})));
  const whole = {
    ...own,
    ...(scripts.length > 0 && { scripts: { ...own.scripts, ...Object.fromEntries(scripts) } }),
    ...(packages.length > 0 && { devDependencies: { ...own.devDependencies, ...Object.fromEntries(packages) } }),
  };
  const indent = /^[ \t]+(?=")/m.exec(text)?.[0] ?? 2;
  return {
    text: `${JSON.stringify(whole, null, indent)}\n`,
    added: [
      ...packages.map(([name, version]) => `${name} ${version}`),
      ...(scripts.length > 0 ? [`scripts ${scripts.map(([name]) => name).join(', ')}`] : []),
    ],
  };
}

function parsedManifest(text: string): Manifest {
  try {
    const manifest: unknown = JSON.parse(text.replace(/^\ufeff/, ''));
    if (isMapping(manifest)) return manifest;
  } catch {
    // Said below.
  }
  throw usageFault('package.json is no JSON object', 'Mend it, or name a new folder: trowel init my_project');
}
