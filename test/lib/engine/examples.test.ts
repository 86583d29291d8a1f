/** Covers lib/engine/execution.ts, lib/engine/mock.ts. */
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { lintMachine } from '../../../lib/asl/lint.ts';
import type { Json, StateMachine } from '../../../lib/asl/types.ts';
import { type MockResults, mockInvoke, readMockResults } from '../../../lib/engine/mock.ts';
import { TaskTokens } from '../../../lib/engine/task-tokens.ts';
import { run } from './harness.ts';

// It comes without types.
const asl = createRequire(import.meta.url)('asl-validator') as (definition: unknown) => {
  isValid: boolean;
  errorsText: () => string;
};

const root = join(import.meta.dirname, '../../../examples/asl');
const read = (...path: string[]) => JSON.parse(readFileSync(join(root, ...path), 'utf8')) as unknown;
const machines = readdirSync(root, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);

/** Mock files are named after their states; `more` replaces some. */
function mocksOf(name: string, more: { readonly [state: string]: string } = {}): Map<string, MockResults> {
  const { States } = read(name, 'definition.json') as StateMachine;
  const files = new Set(readdirSync(join(root, name, 'mocks')));
  const mocks = new Map<string, MockResults>();
  const add = (states: StateMachine['States']) => {
    for (const [state, body] of Object.entries(states)) {
      const file = more[state] ?? `${state.toLowerCase().replaceAll(' ', '-')}.json`;
      if (body.Type === 'Task' && files.has(file)) {
        const results = readMockResults(read(name, 'mocks', file));
        if (typeof results === 'string') throw new Error(results);
        mocks.set(state, results);
      }
      for (const inner of body.Type === 'Parallel' ? body.Branches : body.Type === 'Map' ? [body.ItemProcessor] : []) {
        add(inner.States);
      }
    }
  };
  add(States);
  return mocks;
}

function example(name: string, more: { readonly [state: string]: string } = {}, input?: Json) {
  const tokens = new TaskTokens();
  return run(read(name, 'definition.json') as StateMachine, {
    input: input ?? (read(name, 'input.json') as Json),
    tokens,
    invoke: mockInvoke(mocksOf(name, more), tokens),
  });
}

test.each(machines)('%s has no fault, for our linter and for asl-validator', (name) => {
  const definition = read(name, 'definition.json');
  expect(lintMachine(definition)).toEqual([]);
  const { isValid, errorsText } = asl(definition);
  expect(isValid ? '' : errorsText()).toBe('');
});

test.each<[string, Json]>([
  ['order-saga', { status: 'shipped', order: 'o-1001', total: 100, parcel: 'DHL-42' }],
  [
    'enrich-customer',
    {
      customer: 'c/7',
      name: 'Mía',
      languages: ['es'],
      scoreError: 'States.Http.Socket',
      score: 50,
      orders: 2,
      spent: 135,
      grade: 'standard',
    },
  ],
  ['resize-images', { pictures: 3, files: 4, bad: [{ key: '2026/b.jpg', why: 'not a JPEG' }] }],
  [
    'export-approval',
    { export: 'arn:aws:dynamodb:eu-west-1:123456789012:table/orders/export/1', polls: 2, by: 'ops@example.com' },
  ],
  ['ticket-router', { queue: 'billing', urgent: true, message: 'm-1', paged: true }],
])('%s', async (name, output) => {
  expect((await example(name)).outcome).toEqual({ status: 'SUCCEEDED', output });
});

test('order-saga undoes what was done, last first', async () => {
  const { outcome, events } = await example('order-saga', { Ship: 'ship-fails.json' });
  expect(outcome).toEqual({
    status: 'FAILED',
    error: 'Order.NoCarrier',
    cause: 'Order o-1001 was cancelled: no carrier goes to Ponta Grossa',
  });
  const tasks = events.filter(({ type }) => type === 'TaskStateEntered');
  expect(tasks.map((event) => event.stateEnteredEventDetails?.name)).toEqual([
    'Reserve stock',
    'Charge card',
    'Ship',
    'Refund card',
    'Release stock',
  ]);
});

test.each<[string, Json, Json]>([
  ['an incident', { from: 'a', subject: 'API down', body: 'x' }, { queue: 'incidents', urgent: true, paged: true }],
  ['billing of a small plan', { from: 'a', subject: 'Invoice', body: 'x' }, { queue: 'billing', urgent: false }],
  ['anything else', { from: 'a', subject: 'Hello', body: 'x' }, { queue: 'general', urgent: false }],
  ['nothing', { from: 'a', subject: 'Hello', body: ' ' }, { ignored: 'empty' }],
])('ticket-router: %s', async (_name, input, output) => {
  expect((await example('ticket-router', {}, input)).outcome).toMatchObject({ status: 'SUCCEEDED', output });
});
