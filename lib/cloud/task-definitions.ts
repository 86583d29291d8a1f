/**
 * Which task definitions a project needs: one for each distinct image and set of secrets among its tasks, so that a container has the
 * secrets that its task names and no others. Image and secrets are read from the keys in the compiled state.
 */

import { createHash } from 'node:crypto';
import { isMapping } from '../asl/json.ts';
import type { State, StateMachine } from '../asl/types.ts';
import { mountedKey, secretKeys, secretPlaces } from '../contract/secret-keys.ts';
import type { Mapping } from '../language/workflow.ts';
import { mapTasks } from './states.ts';

export interface TaskDefinitionPlan {
  /** Absent: the project's. */
  readonly image?: string;
  /** Sorted. */
  readonly secrets: readonly string[];
}

export interface Planned {
  /** By key; `default` is always there. */
  readonly definitions: ReadonlyMap<string, TaskDefinitionPlan>;
  /** With the key in the payload of each task that needs another than `default`. */
  readonly machines: ReadonlyMap<string, StateMachine>;
  /** Images that only an expression names: there is no task definition for them. */
  readonly unknownImages: readonly string[];
}

const DEFAULT_KEY = 'default';

/** The same for the same image and secrets. */
function taskDefinitionKey(image: string | undefined, secrets: readonly string[]): string {
  if (image === undefined && secrets.length === 0) return DEFAULT_KEY;
  const identity = JSON.stringify([image ?? null, [...secrets].sort()]);
  return createHash('sha256').update(identity).digest('hex').slice(0, 12);
}

/** @param candidates keys of secrets that a task may ask for by an expression (`secrets:` of trowel.yml) */
export function planTaskDefinitions(
  machines: ReadonlyMap<string, StateMachine>,
  candidates: readonly string[],
): Planned {
  const definitions = new Map<string, TaskDefinitionPlan>([[DEFAULT_KEY, { secrets: [] }]]);
  const unknownImages = new Set<string>();
  const withKey = (state: State & { readonly Type: 'Task' }): State => {
    const { FunctionName, Payload } = (state.Arguments ?? {}) as Mapping;
    if (FunctionName !== '${launch}' || !isMapping(Payload) || !isMapping(Payload.k)) return state;
    const { docker } = Payload.k;
    const image =
      isMapping(docker) && typeof docker.image === 'string' && docker.image !== '' ? docker.image : undefined;
    if (image?.includes('${')) unknownImages.add(image);
    const secrets = secretsOf(Payload.k, secretPlaces(Payload.op), candidates);
    const key = taskDefinitionKey(image, secrets);
    if (key === DEFAULT_KEY) return state;
    definitions.set(key, { ...(image === undefined ? {} : { image }), secrets });
    return { ...state, Arguments: { FunctionName, Payload: { ...Payload, d: key } } } as State;
  };
  const planned = new Map(
    [...machines].map(([name, machine]) => [name, { ...machine, States: mapTasks(machine.States, withKey) }]),
  );
  return { definitions, machines: planned, unknownImages: [...unknownImages] };
}

function secretsOf(keys: Mapping, places: readonly string[], candidates: readonly string[]): string[] {
  const asked = places.flatMap((place) => secretKeys(keys[place]));
  const literal = asked.filter((key) => !key.includes('$')).map((key) => mountedKey(key, keys._secrets));
  const all = asked.length === literal.length ? literal : [...literal, ...candidates];
  return [...new Set(all)].sort();
}
