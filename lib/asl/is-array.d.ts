interface ArrayConstructor {
  /** Without this, what is a `readonly T[] | U` becomes `any[]` where it is a list, and stays what it was where it is none. */
  isArray(value: unknown): value is readonly unknown[];
}
