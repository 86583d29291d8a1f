interface ArrayConstructor {
  /** TypeScript's own makes `any[]` of a `readonly T[] | U` that is a list, and does not take the list away where it is none. */
  isArray(value: unknown): value is readonly unknown[];
}
