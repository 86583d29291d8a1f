import { expect, it } from 'vitest';
import { AwsFault } from '../../../lib/deployed/aws-fault.ts';
import type { Launch } from '../../../lib/deployed/containers.ts';
import type { ExecutionEvents } from '../../../lib/deployed/execution-events.ts';
import { recordedEvents } from '../../../lib/deployed/recorded-events.ts';
import type { Places } from '../../../lib/deployed/task-sources.ts';
import type { RunEvent } from '../../../lib/events/run-event.ts';

const at = (second: number): string => new Date(Date.UTC(2030, 0, 1, 0, 0, second)).toISOString();
const LAUNCH: Launch = {
  task: '+main+a',
  taskArn: 'arn:aws:ecs:eu-west-1:1:task/c/1',
  reports: 's3://b/r',
  asked: Date.parse(at(1)),
  succeeded: true,
};
const STARTED: RunEvent = { type: 'task-started', time: at(1), task: '+main+a', operator: 'py', try: 1 };
const SUCCEEDED: RunEvent = { type: 'task-succeeded', time: at(5), task: '+main+a', seconds: 4 };
const END: RunEvent = { type: 'run-ended', time: at(6), status: 'succeeded', seconds: 5 };

const line = (second: number, data: number): string =>
  `${JSON.stringify({ time: at(second), kind: 'k', level: 'info', data })}\n`;

async function all(given: Partial<Places>, launch = LAUNCH): Promise<string[]> {
  const events = {
    async *read() {
      yield STARTED;
      yield SUCCEEDED;
    },
    executions: [{ launches: { all: [launch] } }],
    end: END,
  } as unknown as ExecutionEvents;
  const text = line(2, 1) + line(4, 2);
  const places: Places = {
    group: 'g',
    logs: {
      page: async (_, __, next) => ({
        lines: next === undefined ? [{ time: Date.parse(at(3)), text: 'printed' }] : [],
        next: 'end',
      }),
    },
    reports: { read: async (_, from) => (from === 0 ? Buffer.from(text) : undefined) },
    ...given,
  };
  const told: string[] = [];
  for await (const event of recordedEvents(events, places)) {
    if (event.type === 'notice') told.push(event.message);
    else told.push(event.type === 'task-report' ? `report ${event.data}` : event.type);
  }
  return told;
}

const denied = async (): Promise<never> => {
  throw new AwsFault('denied', 's3:GetObject', 'no right', []);
};

it('what a task printed and reported is in the order of time', async () => {
  const order = ['task-started', 'report 1', 'task-output', 'report 2', 'task-succeeded', 'run-ended'];
  expect(await all({})).toEqual(order);
});

it('of a task without reports nothing is asked', async () => {
  const { reports: _, ...launch } = LAUNCH;
  expect(await all({ reports: { read: denied } }, launch)).not.toContain('no right');
});

it('what may not be read is said once, and the rest is shown', async () => {
  expect(await all({ reports: { read: denied } })).toEqual([
    'task-started',
    'What the tasks reported is not shown: no right',
    'task-output',
    'task-succeeded',
    'run-ended',
  ]);
  expect(await all({ logs: { page: denied } })).toEqual([
    'task-started',
    'What the tasks printed is not shown: no right',
    ...['report 1', 'report 2', 'task-succeeded', 'run-ended'],
  ]);
});
