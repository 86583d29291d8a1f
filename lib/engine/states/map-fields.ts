import type { Json, MapState } from '../../asl/types.ts';
import { EvaluationError, expectType } from '../expression.ts';
import type { StateRun } from '../state-run.ts';

/** The array that is mapped over. */
export async function itemsOf(at: StateRun, state: MapState): Promise<readonly Json[]> {
  const items = state.Items === undefined ? at.input : await at.evaluate(state.Items, 'Items');
  try {
    if (state.Items !== undefined) {
      expectType(items, 'array', state.Items, 'Items');
    } else if (!Array.isArray(items)) {
      throw new EvaluationError(`Map state input must be an array but was: ${JSON.stringify(items)}`);
    }
  } catch (failure) {
    throw at.failure(failure);
  }
  return items as readonly Json[];
}

/** A whole number of at least 0, from a field that may be an expression. */
export async function countOf(
  at: StateRun,
  field: string,
  template: number | string | undefined,
): Promise<number | undefined> {
  if (template === undefined) {
    return undefined;
  }
  return Number(
    await at.evaluateTyped(template, field, 'number', (value) =>
      Number.isInteger(value) && Number(value) >= 0
        ? undefined
        : `The ${field} field is no whole number of at least 0: ${value}`,
    ),
  );
}

export async function selectItem(
  at: StateRun,
  state: MapState,
  mapItem: { Index: number; Value: Json },
): Promise<Json> {
  return state.ItemSelector === undefined
    ? mapItem.Value
    : at.evaluate(state.ItemSelector, 'ItemSelector', {}, mapItem);
}
