import { present } from '../../asl/present.ts';
import type { Json } from '../../asl/types.ts';
import type { EventDetails, HistoryEventType } from '../history.ts';
import type { StateRun } from '../state-run.ts';

interface Failure {
  readonly error?: string;
  readonly cause?: string;
}

type Event = 'Scheduled' | 'Started' | 'Submitted' | 'Succeeded' | 'Failed' | 'TimedOut';

/**
 * Records the history of one try of a Task. A Lambda function and an activity that the Resource names directly have events of their own
 * (LambdaFunction…, Activity…); everything else has Task… events, with the integration's name in each.
 */
export class TaskEvents {
  readonly resourceType: string;
  readonly isActivity: boolean;
  readonly #at: StateRun;
  readonly #resource: string;
  readonly #family: 'Task' | 'LambdaFunction' | 'Activity';

  constructor(at: StateRun, arn: string) {
    this.#at = at;
    this.isActivity = /^arn:[^:]+:states:[^:]*:[^:]*:activity:/.test(arn);
    const integration = /^arn:[^:]+:states:[^:]*:[^:]*:(.+?):([^:]+(?::2)?)$/.exec(arn);
    if (!this.isActivity && integration?.[1] !== undefined && integration[2] !== undefined) {
      // arn:aws:states:::lambda:invoke.waitForTaskToken → lambda, invoke.waitForTaskToken
      this.#family = 'Task';
      this.resourceType = integration[1];
      this.#resource = integration[2];
      return;
    }
    const service = arn.split(':')[2] ?? 'unknown';
    this.#family = this.isActivity ? 'Activity' : service === 'lambda' ? 'LambdaFunction' : 'Task';
    this.resourceType = this.isActivity ? 'activity' : service;
    this.#resource = arn;
  }

  scheduled(
    input: Json,
    timeout: number | undefined,
    heartbeat: number | undefined,
    credentials: Json | undefined,
  ): void {
    const role =
      typeof credentials === 'object' && credentials !== null && 'RoleArn' in credentials
        ? credentials.RoleArn
        : undefined;
    this.#record('Scheduled', {
      ...(this.#family === 'Task' ? { ...this.#names, parameters: input } : { resource: this.#resource, input }),
      ...present({ timeoutInSeconds: timeout }),
      // A function that is named directly has no heartbeat.
      ...present({
        heartbeatInSeconds: heartbeat === undefined || this.#family === 'LambdaFunction' ? undefined : heartbeat,
        taskCredentials: role === undefined || this.#family === 'Activity' ? undefined : { roleArn: role },
      }),
    });
  }

  started(): void {
    if (this.#family === 'LambdaFunction') this.#at.record('LambdaFunctionStarted');
    else this.#record('Started', this.#names);
  }

  submitted(output: Json): void {
    // Nothing is submitted to an activity: a worker asks for it.
    if (this.#family === 'Task') this.#record('Submitted', { ...this.#names, output });
  }

  succeeded(output: Json): void {
    this.#record('Succeeded', { ...this.#names, output });
  }

  failed(failure: Failure): number {
    return this.#record('Failed', { ...this.#names, ...failure });
  }

  timedOut(failure: Failure): number {
    return this.#record('TimedOut', { ...this.#names, ...failure });
  }

  get #names(): { resourceType?: string; resource?: string } {
    return this.#family === 'Task' ? { resourceType: this.resourceType, resource: this.#resource } : {};
  }

  #record(event: Event, details: object): number {
    const type = `${this.#family}${event}` as HistoryEventType;
    const field = `${type.charAt(0).toLowerCase()}${type.slice(1)}EventDetails`;
    return this.#at.record(type, { [field]: details } as EventDetails);
  }
}
