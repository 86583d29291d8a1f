/** Where a command against AWS goes. */
import { present } from '../../asl/present.ts';
import type { Connection } from '../../deployed/connection.ts';
import type { ParamFlags } from './given-params.ts';

export interface AwsFlags {
  readonly project?: string;
  readonly profile?: string;
  readonly region?: string;
}

/** Of the commands that start an execution. */
export interface StartingFlags extends AwsFlags, ParamFlags {
  readonly follow?: true;
  readonly json?: true;
}

export function connectionOf({ profile, region }: AwsFlags): Connection {
  return present({ profile, region });
}

/** The same options again, for a command to paste. */
export function awsWords({ project, profile, region }: AwsFlags): string[] {
  return Object.entries({ project, profile, region }).flatMap(([name, value]) =>
    value === undefined ? [] : [`--${name}`, value],
  );
}
