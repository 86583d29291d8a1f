import type { HistoryEvent } from '../engine/history.ts';

/** An event as the service's client lists it: nothing is certain to be there, and times are dates. */
export interface ListedEvent {
  readonly id?: number | undefined;
  readonly previousEventId?: number | undefined;
  readonly timestamp?: Date | undefined;
  readonly type?: string | undefined;
}

/** The engine's events are the service's, with values in place of JSON text; `parsed` (history-value.ts) takes both. */
export function historyEvent({ id, previousEventId, timestamp, type, ...details }: ListedEvent): HistoryEvent {
  const event = { id: id ?? 0, previousEventId: previousEventId ?? 0, timestamp: timestamp?.getTime() ?? 0, type };
  return { ...details, ...event } as HistoryEvent;
}
