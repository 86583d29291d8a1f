/**
 * Which task definitions a project needs: one for each distinct image, set of secrets and image of a second container among its tasks, so that a container has the
 * secrets that its task names and no others.
 */
import { present } from '../asl/present.ts';
import { type Needs, ofKind } from '../compiler/needs.ts';
import { DEFAULT_DEFINITION } from '../compiler/task-needs.ts';

export interface TaskDefinitionPlan {
  /** Absent: the project's. */
  readonly image?: string;
  /** Sorted. */
  readonly secrets: readonly string[];
  /** Image of a second container next to the runner's. */
  readonly beside?: string;
}

export interface Planned {
  /** By the key in the payload of tasks; `default` is always there. */
  readonly definitions: ReadonlyMap<string, TaskDefinitionPlan>;
  /** Images that only an expression names: there is no task definition for them. */
  readonly unknownImages: readonly string[];
}

export function planTaskDefinitions(needs: Needs): Planned {
  const definitions = new Map<string, TaskDefinitionPlan>([[DEFAULT_DEFINITION, { secrets: [] }]]);
  const unknownImages = new Set<string>();
  for (const { definition, image, secrets, beside } of ofKind(needs, 'container')) {
    if (image?.includes('${')) unknownImages.add(image);
    definitions.set(definition, { ...present({ image, beside }), secrets });
  }
  return { definitions, unknownImages: [...unknownImages] };
}
