import type { Json } from '../asl/types.ts';
import { TaskError } from './errors.ts';
import { toJson } from './json.ts';
import type { TaskTokens } from './task-tokens.ts';
import type { Invoke } from './types.ts';

/** The answers of a mocked state, one for each call; the last one repeats. Throwing `States.Timeout` is a timeout. */
export type MockResults = readonly MockResult[];

export type MockResult =
  | { readonly Return: Json }
  | { readonly Throw: { readonly Error: string; readonly Cause?: string } };

/**
 * Reads the content of a mock file: `[{"Return": …} | {"Throw": {"Error": "…", "Cause": "…"}}]`.
 * @returns a message if the content has another form
 */
export function readMockResults(value: unknown): MockResults | string {
  if (!Array.isArray(value) || value.length === 0) return 'expected a JSON array with an item for each call';
  for (const [index, item] of value.entries()) {
    const fault = faultOf(item);
    if (fault !== undefined) {
      return `item ${index}: ${fault}`;
    }
  }
  return value as MockResults;
}

function faultOf(item: unknown): string | undefined {
  const expected = 'expected {"Return": …} or {"Throw": {"Error": "…", "Cause": "…"}}';
  if (typeof item !== 'object' || item === null) return expected;
  if ('Return' in item) return 'Throw' in item ? 'Return and Throw exclude each other' : undefined;
  const thrown: unknown = 'Throw' in item ? item.Throw : undefined;
  if (typeof thrown !== 'object' || thrown === null) return expected;
  const { Error: error, Cause: cause } = thrown as { Error?: unknown; Cause?: unknown };
  return typeof error === 'string' && (cause === undefined || typeof cause === 'string') ? undefined : expected;
}

/**
 * An Invoke that answers each Task state, by its name, with its mocked results; also a state with a task token. A Task without results
 * fails with Mock.Missing.
 */
export function mockInvoke(mocks: ReadonlyMap<string, MockResults>, tokens?: TaskTokens): Invoke {
  const calls = new Map<string, number>();
  return async ({ stateName, token, submitted }) => {
    const results = mocks.get(stateName);
    const call = calls.get(stateName) ?? 0;
    calls.set(stateName, call + 1);
    const result = results?.[Math.min(call, results.length - 1)];
    if (result === undefined) {
      const known = mocks.size === 0 ? 'there are none' : `there are: ${[...mocks.keys()].join(', ')}`;
      throw new TaskError('Mock.Missing', `No mock results for the Task state '${stateName}' (${known})`);
    }
    if ('Throw' in result) throw new TaskError(result.Throw.Error, result.Throw.Cause ?? '');
    const answer = toJson(result.Return);
    // The engine uses this only for a task that waits for a token or a job.
    submitted?.(answer);
    if (token !== undefined) tokens?.sendTaskSuccess(token, answer);
    return answer;
  };
}
