import type { Json } from '../../asl/types.ts';
import type { Payload } from '../../contract/payload.ts';
import type { Call } from '../../engine/types.ts';
import { type render, renderText } from '../../expression/render.ts';
import type { Project } from '../../language/project.ts';
import type { Mapping } from '../../language/workflow.ts';
import { withoutEffects } from '../dry-run.ts';
import type { RunContext } from '../run/run-options.ts';
import type { LocalFunction } from './invoke.ts';

/** What the functions of a run have in common. */
export interface Native {
  readonly project: Project;
  readonly env: NodeJS.ProcessEnv;
  readonly context: RunContext;
  readonly render: typeof render;
  /** Whether the parameters that a task sees are shown (`--show-params`). */
  readonly shows: boolean;
  /** A dry run: notes that something was skipped. Absent: everything acts. */
  readonly skip?: (() => void) | undefined;
  /** The command that sets a secret. */
  readonly secretCommand: (key: string) => string;
}

/** A core, whose payload and answer are typed, as a machine calls it. */
export function asFunction<P extends Json = Payload>(
  core: (payload: P, call: Call) => Promise<unknown>,
): LocalFunction {
  return async (given, call) => (await core(given as P, call)) as Json;
}

/** A core that acts: in a dry run its task is only evaluated. */
export function acting(
  { render, skip }: Native,
  core: (payload: Payload, call: Call) => Promise<unknown>,
): LocalFunction {
  return asFunction(async (payload, call) => {
    if (skip === undefined) return core(payload, call);
    const answer = await withoutEffects(payload, render);
    skip();
    return answer;
  });
}

/** What http and notify ask for. */
export function servicesOf(
  { project, env, context, render, secretCommand }: Native,
  payload: Payload,
  { signal }: Call,
) {
  return {
    render,
    renderText,
    secret: (key: string, mounts: Mapping, shown?: boolean) =>
      mounted(key, mounts).then((stored) => context.secret(stored, shown)),
    missingSecret: (key: string) => `Secret not found for key: '${key}'. Set it with: ${secretCommand(key)}`,
    env,
    log: (line: string) => context.print(payload.t, line),
    signal,
    notifications: project.config.notifications,
  };
}

/** The key under which a secret is kept, by the `_secrets` of the task. */
export async function mounted(key: string, mounts: Mapping): Promise<string> {
  const { remount } = await import('../../functions/http/secrets.ts');
  return remount(key, mounts);
}
