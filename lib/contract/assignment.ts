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
 * Where secrets are put in: of the variables of `env` and of the script those that ask for one. What is not here asks for none, whatever
 * its text looks like.
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
  /** By key as stored: what distinguishes the present value from another (without giving it away). For the record. */
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
  /** Of trowel_task/adapters, if it is not the default. */
  readonly adapter?: string;
  /** Which try of the task this is, from 1: tries of its state and of the retried groups around it count, whatever made them fail. */
  readonly try?: number;
  /** The attempt's number here, the execution's name on AWS: one for all tasks of a run. */
  readonly run?: string;
  /** With an adapter: how the addresses begin where a container writes what the task reports (reportsPart). */
  readonly reports?: string;
  /** Whether objects of any class may be stored and read. */
  readonly pickle?: boolean;
};
