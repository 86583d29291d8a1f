/** How a loop is cut into slices that nested machines run: partition.ts decides. */
export interface Slices {
  /** Iterations that one nested machine runs. */
  readonly size: number;
  /** Set if `evaluate` counts the iterations; otherwise the compiler has counted them. */
  readonly counted?: Counted;
}

export interface Counted {
  /** So many need no nested machine. */
  readonly inPlace: number;
  /** Slices, or slices of slices, that one machine starts. */
  readonly fan: number;
}
