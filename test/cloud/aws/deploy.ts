/** The real command line of the CDK, with a home folder of its own: it keeps accounts by access key there. */
import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';

export const ROOT = join(import.meta.dirname, '..', '..', '..');

export type Environment = { readonly [name: string]: string };

export interface DeployOptions {
  /** `-c name=value` beside `project`. */
  readonly context?: { readonly [name: string]: string };
  readonly env?: Environment;
  /** For what else the command line takes. */
  readonly args?: readonly string[];
}

/** Once per account and region, from an empty folder: there is no app to be read. */
export async function bootstrap(folder: string, env: Environment, target: string): Promise<void> {
  const empty = join(folder, 'empty');
  await mkdir(empty, { recursive: true });
  await cdk(['bootstrap', target], empty, env);
}

/** @returns what the command printed */
export async function deploy(
  project: string,
  folder: string,
  env: Environment,
  options: DeployOptions = {},
): Promise<string> {
  const args = ['deploy', '--require-approval', 'never', ...given(project, folder, options)];
  return cdk(args, ROOT, { ...env, ...options.env });
}

/** @returns what the command printed */
export async function destroy(
  project: string,
  folder: string,
  env: Environment,
  options: DeployOptions = {},
): Promise<string> {
  return cdk(['destroy', '--force', ...given(project, folder, options)], ROOT, { ...env, ...options.env });
}

function given(project: string, folder: string, { context, args = [] }: DeployOptions): readonly string[] {
  const pairs = Object.entries({ project, ...context }).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  return ['-o', join(folder, 'cdk.out'), ...pairs, ...args];
}

export function cdk(args: readonly string[], cwd: string, env: Environment): Promise<string> {
  const command = join(ROOT, 'node_modules', 'aws-cdk', 'bin', 'cdk');
  return new Promise((resolve, reject) => {
    const options = { cwd, env: { ...env }, maxBuffer: 64 * 1024 * 1024 };
    execFile(process.execPath, [command, ...args], options, (error, stdout, stderr) => {
      if (error === null) resolve(stdout + stderr);
      else reject(new Error(`cdk ${args[0]} failed:\n${stdout}${stderr}`, { cause: error }));
    });
  });
}

/** The stack's name in what `cdk deploy` printed. */
export function stackOf(printed: string): string {
  return /(?:^|\n)\s*✅\s+(\S+)/.exec(printed)?.[1] ?? '';
}
