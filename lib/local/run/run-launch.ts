import { present } from '../../asl/present.ts';
import type { Json } from '../../asl/types.ts';
import type { LaunchPayload } from '../../contract/payload.ts';
import { codeUnchanged } from '../../functions/launch/code.ts';
import { launch } from '../../functions/launch/core.ts';
import { projectFiles } from '../../functions/project-files.ts';
import type { Mapping } from '../../language/workflow.ts';
import type { LocalFunction } from '../functions/invoke.ts';
import { readRecord } from '../results.ts';
import { anew, isWithin, takenAnswer } from '../taken.ts';
import { valuesOf } from '../values.ts';
import type { LocalCompute } from '../workers/compute.ts';
import type { RunParts } from './run-parts.ts';

/** `${launch}`: starts a Python task, or answers its state at once with a result that an earlier attempt left. */
export function launchHere(parts: RunParts, compute: LocalCompute): LocalFunction {
  const { tokens, options } = parts;
  const { only } = options;
  return async (given, { signal }) => {
    const payload = given as LaunchPayload;
    if (only !== undefined && !isWithin(payload.t, only)) {
      tokens.succeed(payload.token, await takenAnswer(payload, parts.missing));
      return {};
    }
    const launched = await launch(only === undefined ? payload : anew(payload), servicesFor(payload, parts, compute));
    if ('replayed' in launched) tokens.succeed(payload.token, launched.replayed as Json);
    else stopWith(signal, compute, launched.started);
    return {};
  };
}

function servicesFor(
  payload: LaunchPayload,
  { options, secrets: read }: RunParts,
  compute: LocalCompute,
): Parameters<typeof launch>[1] {
  const { project, render, secrets, secretCommand, taskTimeout, pickle = false } = options;
  return {
    render,
    compute,
    results: readRecord,
    values: valuesOf(payload),
    attemptVariables,
    codeUnchanged: (assignment, sha256) => codeUnchanged(projectFiles(project), assignment, sha256),
    missingSecrets: (keys) => secrets.missing(keys),
    secretVersion: (key, like) => read.version(key, like),
    ...present({ secretCommand, defaultTimeout: taskTimeout }),
    pickle,
  };
}

/** Stops a task when its state is given up. */
function stopWith(signal: AbortSignal, compute: LocalCompute, id: string): void {
  const stop = (): void => void compute.stop(id);
  if (signal.aborted) stop();
  signal.addEventListener('abort', stop, { once: true });
  void compute.ended(id).then(() => signal.removeEventListener('abort', stop));
}

/** An attempt's folder ends with its number; those of workflows that it required are below it. */
function attemptVariables(root: string): Mapping | undefined {
  const id = /(?:^|[\\/])attempts[\\/](\d+)(?:[\\/]|$)/.exec(root)?.[1];
  return id === undefined ? undefined : { attempt_id: Number(id) };
}
