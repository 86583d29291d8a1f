/** The questions to CloudWatch Logs; logs-client.ts answers them. */
export interface LogLine {
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly text: string;
}

export interface LogPage {
  readonly lines: readonly LogLine[];
  /** The place to read on from; unchanged at the present end of the stream. Undefined if there is no such stream yet. */
  readonly next?: string;
}

export interface Logs {
  /** From the beginning, or from where an earlier page ended. */
  page(group: string, stream: string, next: string | undefined): Promise<LogPage>;
}
