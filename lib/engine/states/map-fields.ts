import { isMapping } from '../../asl/json.ts';
import type { Json, MapState } from '../../asl/types.ts';
import { EvaluationError, expectType } from '../expression.ts';
import type { StateRun } from '../state-run.ts';

/** `Map.Item` of the context object. */
export type MapItem = { readonly Index: number; readonly Value: Json; readonly Key?: string; readonly Source?: string };

/**
 * The items of a Map: the elements of an array, or an object's members with their keys.
 * @param source where the items come from; given only for a distributed Map
 */
export async function itemsOf(at: StateRun, state: MapState, source?: string): Promise<readonly MapItem[]> {
  const items = state.Items === undefined ? at.input : await at.evaluate(state.Items, 'Items');
  const from = source === undefined ? {} : { Source: source };
  if (state.Items !== undefined && isMapping(items)) {
    return Object.entries(items).map(([Key, Value], Index) => ({ Index, Value, Key, ...from }));
  }
  try {
    if (state.Items !== undefined) {
      expectType(items, 'array', state.Items, 'Items');
    } else if (!Array.isArray(items)) {
      throw new EvaluationError(`Map state input must be an array but was: ${JSON.stringify(items)}`);
    }
  } catch (failure) {
    throw at.failure(failure);
  }
  return (items as readonly Json[]).map((Value, Index) => ({ Index, Value, ...from }));
}

/** A whole number of at least 0, from a field that may be an expression. */
export async function countOf(
  at: StateRun,
  field: string,
  template: number | string | undefined,
): Promise<number | undefined> {
  if (template === undefined) return undefined;
  return Number(
    await at.evaluateTyped(template, field, 'number', (value) =>
      Number.isInteger(value) && Number(value) >= 0
        ? undefined
        : `The ${field} field is no whole number of at least 0: ${value}`,
    ),
  );
}

export async function selectItem(at: StateRun, state: MapState, item: MapItem): Promise<Json> {
  return state.ItemSelector === undefined ? item.Value : at.evaluate(state.ItemSelector, 'ItemSelector', {}, item);
}
