/**
 * Shared by all functions on AWS: its settings, and small readers over the services' clients. Nothing here knows a task; the pure
 * cores know nothing of this folder.
 */
import type { Reach } from '../../lib/functions/http/addresses.ts';

/** Variables that the construct sets. */
export type Environment = { readonly [name: string]: string | undefined };

/** Throws an Error that names the variable: a fault of the deployment, not of the workflow. */
export function setting(name: string, env: Environment = process.env): string {
  const value = env[name];
  if (value === undefined || value === '') throw new Error(`The function was deployed without the variable ${name}`);
  return value;
}

/** Absent and empty are the same. */
export function optional(name: string, env: Environment = process.env): string | undefined {
  return env[name] === '' ? undefined : env[name];
}

export function list(name: string, env: Environment = process.env): readonly string[] {
  return setting(name, env)
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

/** Addresses that a deployed function may ask by HTTP. No deploy sets the variable; tests do, because their servers are on this machine. */
export function deployedReach(env: Environment = process.env): Reach {
  return { loopback: optional('TROWEL_LOOPBACK', env) === 'true' };
}
