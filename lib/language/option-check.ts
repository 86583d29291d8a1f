import type { OperatorSpec } from './operators.ts';
import type { Report } from './report.ts';
import type { Entry, MapTree } from './tree.ts';

export interface TaskKeys {
  readonly name: string;
  readonly operator: string;
  readonly spec: OperatorSpec;
  readonly tree: MapTree;
  /** `sh>: …`, or `_type: sh`. */
  readonly operatorEntry: Entry;
  /** `sh>: …`, or `_command: …`. */
  readonly commandEntry: Entry | undefined;
  readonly report: Report;
}

export function checkKeys(_task: TaskKeys): void {}
