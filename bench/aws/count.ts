/** What an execution costs, counted from the history that lib/engine writes in Step Functions' words. */
import type { HistoryEvent } from '../../lib/engine/history.ts';

export interface Counts {
  /** States entered, and each retry: what a Standard workflow is charged by. */
  readonly transitions: number;
  readonly events: number;
  /** Invocations of functions by the machine, without those that ECS's events cause. */
  readonly functions: number;
  /** Containers that were started. */
  readonly containers: number;
  readonly executions: number;
}

export class Counter implements Counts {
  transitions = 0;
  events = 0;
  functions = 0;
  containers = 0;
  executions = 0;

  readonly add = (event: HistoryEvent): void => {
    // Ours, for what the service does without an event.
    if (event.type === 'RetryScheduled') {
      this.transitions += 1;
      return;
    }
    this.events += 1;
    if (event.type === 'ExecutionStarted') this.executions += 1;
    if (event.type.endsWith('StateEntered')) this.transitions += 1;
    const { resourceType, resource } = event.taskScheduledEventDetails ?? {};
    if (resourceType === 'lambda') this.functions += 1;
    if (resource === 'invoke.waitForTaskToken' || resource === 'runTask.sync') this.containers += 1;
  };
}
