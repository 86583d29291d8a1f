import type { Mapping, Value } from '../language/workflow.ts';
import type { Builtins } from './payload.ts';

export interface Job {
  /** Made from the task token: the same token gives the same id, so a repeated launch starts nothing twice. */
  readonly id: string;
  readonly token: string;
  readonly assignment: Assignment;
  /** Keys of the secrets that the task may read, as stored (mounts already followed). */
  readonly secrets: readonly string[];
  readonly docker?: Mapping;
  readonly resources?: Mapping;
  readonly beside?: Beside;
}

/**
 * A second container next to the runner's, in the same network: it starts with the task and is stopped when the runner has ended. Only
 * where tasks are deployed.
 */
export interface Beside {
  /** As the task definition has it. */
  readonly image: string;
  /** In place of the image's own; the image's entry point stays. */
  readonly command?: readonly string[];
  readonly env?: { readonly [name: string]: string };
}

/** Text, or the key of a secret as it is stored. */
export type Piece = string | readonly [key: string];

/**
 * The texts that secrets are put into: variables of `env`, and the script. A text that is not listed here gets no secret, whatever it looks
 * like.
 */
export type SecretTexts = {
  readonly env: { readonly [name: string]: readonly Piece[] };
  readonly script?: readonly Piece[];
};

/** docs/protocol.md, section "Assignment". */
export type Assignment = {
  readonly v: number;
  readonly task: string;
  readonly operator: string;
  readonly params: Mapping;
  readonly keys: readonly string[];
  readonly env: { readonly [name: string]: string };
  /** `_secrets`: `{pg: {password: 'my.other.key'}}`. */
  readonly secrets_map: Mapping;
  readonly secret_texts: SecretTexts;
  /**
   * For each key as stored: a mark of the present value, different for another value, that does not give the value away. It goes into the
   * record of the task.
   */
  readonly secret_versions?: { readonly [key: string]: string };
  readonly workdir?: string;
  /** Seconds. */
  readonly timeout?: number;
  readonly layers: readonly Mapping[];
  readonly merge?: number;
  /** `w` of the payload. */
  readonly shares?: readonly (readonly [number, number])[];
  readonly builtins: Builtins;
  readonly root: string;
  readonly result: string;
  readonly frames: readonly Value[];
  readonly python?: readonly string[];
  /** A module of trowel_task/adapters, if it is not the default one. */
  readonly adapter?: string;
  /**
   * The number of this try of the task, from 1. Tries of its state and of the retried groups around it count, whatever the reason of the
   * failure.
   */
  readonly try?: number;
  /** The attempt's number here, the execution's name on AWS: one for all tasks of a run. */
  readonly run?: string;
  /** With an adapter: the beginning of the addresses to which a container writes the task's reports (reportsPart). */
  readonly reports?: string;
  /** Whether objects of any class may be stored and read. */
  readonly pickle?: boolean;
};
