/** What readers of the event stream know of a state: its task, and where that is in the file. */
export interface TaskInfo {
  /** Full name; absent if only the run knows it (in loops): it is `t` of the payload or output. */
  readonly task?: string;
  readonly operator: string;
  /**
   * `prepares`: renders for the state after it, and is shown only if it fails. `polls`: asks again and again; an answer "not yet" is no
   * failure.
   */
  readonly role?: 'prepares' | 'polls';
  /** `main.dig:3` */
  readonly at?: string;
}

export type TaskTable = { readonly [state: string]: TaskInfo };
