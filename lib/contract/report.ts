import type { Json } from '../asl/types.ts';

/**
 * A message of a task while it works, besides its output: docs/protocol.md, message `report`. Its limits are in
 * trowel_task/host/reports.py.
 */
export interface Report {
  /** A short name, chosen by the adapter of the task. */
  readonly kind: string;
  readonly level: 'info' | 'warning' | 'error';
  readonly data: Json;
  /** Set if the data was too long: its bytes as JSON. `data` is then the beginning of that text. */
  readonly cut?: number;
}

/** Reads a report from a JSON value; undefined if it is none. */
export function asReport(value: unknown): Report | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { kind, level, data, cut } = value as { readonly [key: string]: unknown };
  if (typeof kind !== 'string' || !(level === 'info' || level === 'warning' || level === 'error')) return undefined;
  const report = { kind, level, data: (data ?? null) as Json } as const;
  return typeof cut === 'number' ? { ...report, cut } : report;
}

/** Bytes of an object of reports on AWS. When an object has this size, the runner begins the next one. */
export const REPORTS_PART = 1_048_576;
