import { LIMITS } from '../asl/limits.ts';
import type { Json } from '../asl/types.ts';
import { sizeOf } from './json.ts';

export type Assigned = { readonly [name: string]: Json };

/** The reason why an assignment is refused, as text for a Cause. */
export class AssignError extends Error {
  /** True if the size limit was passed; false if a rule of scope was broken. */
  readonly tooLarge: boolean;

  constructor(message: string, tooLarge: boolean) {
    super(message);
    this.tooLarge = tooLarge;
  }
}

/**
 * The variables that a frame (the machine, a branch, an iteration) sees: its own, and read-only those of the frames around it. A
 * distributed Map's child execution starts with none.
 */
export class Variables {
  readonly #outer: Variables | undefined;
  readonly #own = new Map<string, Json>();
  #bytes = 0;

  constructor(outer?: Variables) {
    this.#outer = outer;
  }

  get(name: string): Json | undefined {
    const own = this.#own.get(name);
    return own === undefined ? this.#outer?.get(name) : own;
  }

  /** @throws AssignError in this case nothing is assigned */
  assign(values: Assigned, limits: boolean): void {
    let bytes = 0;
    let total = this.#total();
    for (const [name, value] of Object.entries(values)) {
      if (name === 'states') throw new AssignError('The variable name $states is reserved.', false);
      if (this.#outer?.get(name) !== undefined) {
        throw new AssignError(`The variable $${name} belongs to an outer scope and cannot be assigned here.`, false);
      }
      const size = sizeOf(value);
      const before = this.#own.get(name);
      total += size - (before === undefined ? 0 : sizeOf(before));
      bytes += size;
    }
    if (limits && bytes > LIMITS.payloadBytes) {
      throw new AssignError(
        `The variables assigned by one state take ${bytes} bytes; the limit is ${LIMITS.payloadBytes}.`,
        true,
      );
    }
    if (limits && total > LIMITS.variablesBytes) {
      throw new AssignError(`The variables take ${total} bytes in all; the limit is ${LIMITS.variablesBytes}.`, true);
    }
    for (const [name, value] of Object.entries(values)) {
      const before = this.#own.get(name);
      this.#bytes += sizeOf(value) - (before === undefined ? 0 : sizeOf(before));
      this.#own.set(name, value);
    }
  }

  #total(): number {
    return this.#bytes + (this.#outer === undefined ? 0 : this.#outer.#total());
  }
}
