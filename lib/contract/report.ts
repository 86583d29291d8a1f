import type { Json } from '../asl/types.ts';

/** What a task says while it works, besides its output: docs/protocol.md, message `report`. Its limits are in trowel_task/host/reports.py. */
export interface Report {
  /** A short name, chosen by the adapter of the task. */
  readonly kind: string;
  readonly level: 'info' | 'warning' | 'error';
  readonly data: Json;
  /** Bytes that `data` had as JSON: it was too long, and `data` is the beginning of that text. */
  readonly cut?: number;
}

/** Of something that came as JSON the fields of a report; undefined if it is none. */
export function asReport(value: unknown): Report | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { kind, level, data, cut } = value as { readonly [key: string]: unknown };
  if (typeof kind !== 'string' || !(level === 'info' || level === 'warning' || level === 'error')) return undefined;
  const report = { kind, level, data: (data ?? null) as Json } as const;
  return typeof cut === 'number' ? { ...report, cut } : report;
}

/** Bytes. On AWS the runner writes reports into an object that has less; when it has that many, the next part begins. */
export const REPORTS_PART = 1_048_576;
