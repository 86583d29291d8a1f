import { expect, test } from 'vitest';
import { TaskTokens } from '../../../lib/engine/task-tokens.ts';

const listener = { succeed: () => {}, fail: () => {}, heartbeat: () => {} };
const named = (name: string) => expect.objectContaining({ name });

test('a token works once', () => {
  const tokens = new TaskTokens();
  const token = tokens.issue(listener);
  tokens.sendTaskHeartbeat(token);
  tokens.sendTaskSuccess(token, null);
  expect(() => tokens.sendTaskSuccess(token, null)).toThrow(named('TaskTimedOut'));
  expect(() => tokens.sendTaskFailure(token)).toThrow(named('TaskTimedOut'));
});

test('tokens that are none', () => {
  const tokens = new TaskTokens();
  const stranger = new TaskTokens().issue(listener);
  expect(() => tokens.sendTaskHeartbeat(stranger)).toThrow(named('TaskDoesNotExist'));
  for (const token of ['', 'x', 'trowel-1-short', undefined as unknown as string]) {
    expect(() => tokens.sendTaskHeartbeat(token)).toThrow(named('InvalidToken'));
  }
});

test('limits', () => {
  const tokens = new TaskTokens();
  const token = tokens.issue(listener);
  expect(() => tokens.sendTaskSuccess(token, 'x'.repeat(262_143))).toThrow(named('InvalidOutput'));
  expect(() => tokens.sendTaskSuccess(token, undefined as unknown as null)).toThrow(named('InvalidOutput'));
  expect(() => tokens.sendTaskFailure(token, { error: 'e'.repeat(257) })).toThrow(named('ValidationException'));
  expect(() => tokens.sendTaskFailure(token, { cause: 'c'.repeat(32_769) })).toThrow(named('ValidationException'));
  // Refused calls leave it open.
  tokens.sendTaskSuccess(token, 'x'.repeat(262_142));
});
