interface ArrayConstructor {
  /** TypeScript's own type narrows `readonly T[] | U` to `any[]` if the test is true, and does not remove the list if it is false. */
  isArray(value: unknown): value is readonly unknown[];
}
