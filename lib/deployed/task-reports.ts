import { reportsPart } from '../contract/names.ts';
import { asReport, REPORTS_PART } from '../contract/report.ts';
import type { RunEvent } from '../events/run-event.ts';
import type { ReportParts } from './reports.ts';

export type TaskReport = Extract<RunEvent, { type: 'task-report' }>;

/** The reports of one container. Each read continues where the last one ended. */
export class TaskReports {
  readonly #parts: ReportParts;
  readonly #reports: string;
  readonly #task: string;
  #part = 1;
  #from = 0;

  /** @param reports the beginning of the addresses of the parts */
  constructor(parts: ReportParts, reports: string, task: string) {
    this.#parts = parts;
    this.#reports = reports;
    this.#task = task;
  }

  /** The next reports, at most to the end of a part; undefined at the present end. */
  async read(): Promise<readonly TaskReport[] | undefined> {
    for (;;) {
      const bytes = await this.#parts.read(reportsPart(this.#reports, this.#part), this.#from);
      const length = (bytes?.lastIndexOf('\n') ?? -1) + 1;
      if (bytes !== undefined && length > 0) {
        this.#from += length;
        return bytes
          .subarray(0, length)
          .toString('utf8')
          .split('\n')
          .flatMap((line) => this.#event(line) ?? []);
      }
      if (this.#from < REPORTS_PART) return undefined;
      this.#part += 1;
      this.#from = 0;
    }
  }

  #event(line: string): TaskReport | undefined {
    try {
      const said: unknown = JSON.parse(line);
      const report = asReport(said);
      const { time } = said as { readonly time?: unknown };
      if (report === undefined || typeof time !== 'string') return undefined;
      return { type: 'task-report', time, task: this.#task, ...report };
    } catch {
      return undefined;
    }
  }
}
