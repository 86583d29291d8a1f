import type { RunEvent } from './run-event.ts';

/** Of ISO 8601 texts in UTC. */
export function compareTimes(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Sorts by time; events of the same time keep their order. */
export function inOrder(events: readonly RunEvent[]): RunEvent[] {
  return [...events].sort((a, b) => compareTimes(a.time, b.time));
}
