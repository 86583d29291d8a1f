/**
 * An alarm of CloudWatch. It comes also if the event of a failed execution does not: this looks up the alarm's executions and reports those
 * that were not reported yet. Any other alarm is reported as it is.
 */
import { present } from '../../asl/present.ts';
import type { Channel } from './delivery.ts';
import { type ExecutionServices, executionEnded, type FAILED, type Told } from './execution-ended.ts';
import { fields, type Report } from './report.ts';

/** The part of CloudWatch's message that is read here. */
export interface AlarmEvent {
  readonly alarmArn: string;
  readonly time: string;
  readonly alarmData: {
    readonly alarmName: string;
    readonly state: { readonly value: string; readonly reason?: string };
    readonly configuration?: {
      readonly description?: string;
      readonly metrics?: readonly {
        readonly metricStat?: {
          readonly metric?: {
            readonly namespace?: string;
            readonly name?: string;
            readonly dimensions?: { readonly [name: string]: string };
          };
        };
      }[];
    };
  };
}

/** Milliseconds before the alarm in which its executions ended: a minute's metric comes a few minutes late. */
const LOOK_BACK = 20 * 60_000;

const STATUS: { readonly [metric: string]: (typeof FAILED)[number] } = {
  ExecutionsFailed: 'FAILED',
  ExecutionsTimedOut: 'TIMED_OUT',
  ExecutionsAborted: 'ABORTED',
};

export async function alarmed(
  event: AlarmEvent,
  services: ExecutionServices,
  channels: readonly Channel[],
): Promise<readonly Told[]> {
  const { alarmName, state, configuration = {} } = event.alarmData;
  if (state.value !== 'ALARM') return [{ ignored: `${alarmName} is ${state.value}` }];
  const metrics = (configuration.metrics ?? []).flatMap(({ metricStat }) => metricStat?.metric ?? []);
  const machines = metrics.flatMap(({ namespace, name = '', dimensions = {} }) => {
    const status = STATUS[name];
    const machine = dimensions.StateMachineArn;
    return namespace === 'AWS/States' && status !== undefined && machine !== undefined ? [{ machine, status }] : [];
  });
  if (machines.length === 0) {
    const report = alarmReport(event);
    for (const channel of channels) await channel.send(report);
    return [{ told: report.title }];
  }
  const since = Date.parse(event.time) - LOOK_BACK;
  const told: Told[] = [];
  const faults: unknown[] = [];
  for (const { machine, status } of machines) {
    const found = (await services.executions(machine, status)).filter(({ stop = 0 }) => stop > since);
    for (const { arn } of found) {
      try {
        told.push(await executionEnded(arn, services));
      } catch (error) {
        faults.push(error);
      }
    }
  }
  if (faults.length > 0) throw faults[0];
  return told;
}

function alarmReport({ alarmData: { alarmName, state, configuration } }: AlarmEvent): Report {
  return {
    kind: 'alarm',
    title: `Alarm ${alarmName}`,
    ...present({ text: configuration?.description }),
    fields: fields({ Reason: state.reason }),
    links: [],
  };
}
