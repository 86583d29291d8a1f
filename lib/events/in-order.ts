import type { RunEvent } from './run-event.ts';

/** Of ISO 8601 texts in UTC. */
export function compareTimes(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** By their times; what happened at the same time stays as it was. */
export function inOrder(events: readonly RunEvent[]): RunEvent[] {
  return [...events].sort((a, b) => compareTimes(a.time, b.time));
}
