import { describe, expect, it } from 'vitest';
import { jobId } from '../../../lib/contract/names.ts';
import { Launches } from '../../../lib/deployed/containers.ts';
import type { HistoryEvent } from '../../../lib/engine/history.ts';

const NAMES = { resourceType: 'lambda', resource: 'invoke.waitForTaskToken' };
let time = 0;

/** As GetExecutionHistory gives it. */
function event(id: number, previousEventId: number, type: string, details: object = {}): HistoryEvent {
  time += 1000;
  return { id, previousEventId, type, timestamp: time, ...details } as unknown as HistoryEvent;
}

const scheduled = (id: number, task: string, token: string): HistoryEvent =>
  event(id, id - 1, 'TaskScheduled', {
    taskScheduledEventDetails: {
      ...NAMES,
      parameters: JSON.stringify({ FunctionName: 'f', Payload: { t: task, token } }),
    },
  });
const submitted = (id: number, previous: number, taskArn: string, more: object = {}): HistoryEvent =>
  event(id, previous, 'TaskSubmitted', {
    taskSubmittedEventDetails: { ...NAMES, output: JSON.stringify({ Payload: { started: 'x', taskArn, ...more } }) },
  });

describe('containers of an execution', () => {
  it('are found by what launch answered, branch by branch, and end with their state', () => {
    const launches = new Launches();
    const events = [
      scheduled(10, '+a', 'token-a'),
      scheduled(20, '+b', 'token-b'),
      event(11, 10, 'TaskStarted'),
      event(21, 20, 'TaskStarted'),
      submitted(22, 21, 'arn:b'),
      submitted(12, 11, 'arn:a', { reports: 's3://b/r' }),
      event(13, 12, 'TaskSucceeded'),
      event(23, 22, 'TaskTimedOut'),
      scheduled(24, '+b', 'token-b2'),
      event(25, 24, 'TaskStarted'),
      event(30, 25, 'ExecutionAborted'),
    ];
    for (const each of events) launches.see(each);
    const [a, b, again] = launches.all;
    expect(a).toMatchObject({
      task: '+a',
      startedBy: jobId('token-a'),
      taskArn: 'arn:a',
      reports: 's3://b/r',
      succeeded: true,
    });
    expect(b).toMatchObject({ task: '+b', taskArn: 'arn:b', succeeded: false, ended: expect.any(Number) });
    expect(again).toMatchObject({
      task: '+b',
      startedBy: jobId('token-b2'),
      succeeded: false,
      ended: expect.any(Number),
    });
    expect(again).not.toHaveProperty('taskArn');
    expect(b).not.toHaveProperty('reports');
  });

  it('are none of functions that answer at once, nor of tasks taken over', () => {
    const launches = new Launches();
    const names = { resourceType: 'lambda', resource: 'invoke' };
    launches.see(event(1, 0, 'TaskScheduled', { taskScheduledEventDetails: { ...names, parameters: '{}' } }));
    launches.see(scheduled(5, '+kept', 't'));
    launches.see(event(6, 5, 'TaskStarted'));
    launches.see(event(7, 6, 'TaskSucceeded'));
    expect(launches.all).toEqual([expect.objectContaining({ task: '+kept', succeeded: true })]);
    expect(launches.all[0]).not.toHaveProperty('taskArn');
  });
});
