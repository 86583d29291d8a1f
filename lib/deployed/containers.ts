/** Which containers an execution has started, read from its history. */

import { present } from '../asl/present.ts';
import type { Json } from '../asl/types.ts';
import { jobId } from '../contract/names.ts';
import type { HistoryEvent } from '../engine/history.ts';
import { at, parsed, textOf } from '../events/history-value.ts';
import { END } from './history-reader.ts';

/** A container that `launch` was asked to start. */
export interface Launch {
  /** Full name of the task. */
  readonly task: string;
  /** `startedBy` of the container: made from the token's hash, as launch makes it. Undefined if the history shows no token. */
  readonly startedBy?: string;
  readonly taskArn?: string;
  /** The beginning of the addresses of its reports, if its task makes any (lib/contract/names.ts, reportsPart). */
  readonly reports?: string;
  /** Milliseconds since the epoch, when the state asked for it. */
  readonly asked: number;
  /** The same, when the state had its answer, or ended without one. */
  readonly ended?: number;
  readonly succeeded: boolean;
}

/** Launches of one execution. Give it every event, in order. */
export class Launches {
  /** By the id of the TaskScheduled event. */
  readonly #launches = new Map<number, Launch>();
  /** From an event of a task's state to the TaskScheduled event that it follows. */
  readonly #chain = new Map<number, number>();

  get all(): readonly Launch[] {
    return [...this.#launches.values()];
  }

  see(event: HistoryEvent): void {
    if (END.test(event.type)) {
      for (const [id, launch] of this.#launches) this.#end(id, launch, event, false);
      return;
    }
    const { taskScheduledEventDetails: scheduled } = event;
    if (scheduled !== undefined) {
      if (scheduled.resourceType === 'lambda' && scheduled.resource.endsWith('.waitForTaskToken')) {
        this.#launches.set(event.id, launchOf(event, parsed(scheduled.parameters)));
        this.#chain.set(event.id, event.id);
      }
      return;
    }
    const id = this.#chain.get(event.previousEventId);
    const launch = id === undefined ? undefined : this.#launches.get(id);
    if (id === undefined || launch === undefined) return;
    if (event.type === 'TaskStarted' || event.type === 'TaskSubmitted') this.#chain.set(event.id, id);
    const answer = payloadOf(event.taskSubmittedEventDetails?.output);
    const taskArn = textOf(answer, 'taskArn');
    const reports = textOf(answer, 'reports');
    if (taskArn !== undefined) {
      this.#launches.set(id, { ...launch, taskArn, ...present({ reports }) });
    }
    if (/^Task(?:Succeeded|Failed|TimedOut|StateAborted)$/.test(event.type)) {
      this.#end(id, launch, event, event.type === 'TaskSucceeded');
    }
  }

  #end(id: number, launch: Launch, { timestamp }: HistoryEvent, succeeded: boolean): void {
    if (launch.ended === undefined) this.#launches.set(id, { ...launch, ended: timestamp, succeeded });
  }
}

function launchOf({ timestamp: asked }: HistoryEvent, parameters: Json): Launch {
  const payload = payloadOf(parameters);
  const token = textOf(payload, 'token');
  const task = textOf(payload, 't') ?? '';
  return { task, asked, succeeded: false, ...present({ startedBy: token === undefined ? undefined : jobId(token) }) };
}

function payloadOf(value: Json | undefined): Json {
  return parsed(at(parsed(value), 'Payload'));
}
