import type { Json } from '../asl/types.ts';
import { at } from '../events/history-value.ts';

/** Names of the executions that the one with this input continues, nearest first. */
export function resumedBy(input: Json): readonly string[] {
  const chain = at(input, 'resume_from');
  const names: readonly unknown[] = Array.isArray(chain) ? chain : [chain];
  return names.filter((each) => typeof each === 'string');
}
