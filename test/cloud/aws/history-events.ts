/** The engine's events as GetExecutionHistory says them: texts for JSON values, seconds for times, without what is ours alone. */
import type { HistoryEvent } from '../../../lib/engine/history.ts';
import { REGION } from './service.ts';

export interface ApiEvent {
  readonly id: number;
  readonly previousEventId: number;
  readonly timestamp: number;
  readonly type: string;
  readonly [details: string]: unknown;
}

const NOT_TRUNCATED = { truncated: false };

/** Undefined for an event that the service's history does not have. */
export function apiEvent(event: HistoryEvent): ApiEvent | undefined {
  const { id, previousEventId, timestamp, type, stateEntry: _, execution, ...details } = event;
  if (type === 'RetryScheduled' || execution !== undefined) return undefined;
  const said = Object.entries(details).map(([name, value]) => [name, shaped(name, value as object)] as const);
  return { id, previousEventId, timestamp: timestamp / 1000, type, ...Object.fromEntries(said) };
}

function shaped(name: string, details: object): object {
  const made: { [key: string]: unknown } = {};
  for (const [key, value] of Object.entries(details)) {
    if (key === 'input' || key === 'output') {
      made[key] = JSON.stringify(value);
      made[`${key}Details`] = NOT_TRUNCATED;
    } else if (key === 'parameters') {
      made[key] = JSON.stringify(value);
      made.region = REGION;
    } else if (key === 'assignedVariables') {
      made[key] = Object.fromEntries(Object.entries(value as object).map(([k, v]) => [k, JSON.stringify(v)]));
      made.assignedVariablesDetails = NOT_TRUNCATED;
    } else made[key] = value;
  }
  // The service leaves the member out where there is nothing to say.
  return name === 'mapStateStartedEventDetails' ? { length: made.length } : made;
}
