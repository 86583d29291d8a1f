/** What this folder asks CloudWatch Logs; logs-client.ts answers. */
export interface LogLine {
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly text: string;
}

export interface LogPage {
  readonly lines: readonly LogLine[];
  /** Where to go on; the same again at the end of what is there. Undefined if there is no such stream yet. */
  readonly next?: string;
}

export interface Logs {
  /** From the beginning, or from where an earlier page ended. */
  page(group: string, stream: string, next: string | undefined): Promise<LogPage>;
}
