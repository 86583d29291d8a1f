import { describe, expect, it } from 'vitest';
import type { SessionPayload } from '../../../../lib/contract/payload.ts';
import { session } from '../../../../lib/functions/session/core.ts';
import type { Value } from '../../../../lib/language/workflow.ts';

function payload(input: Value, more: Partial<SessionPayload> = {}): SessionPayload {
  const execution = { Id: 'arn:…:e-1', Name: 'e-1', StartTime: '2030-05-10T13:14:15.678Z' };
  return { v: 1, workflow: 'main', timezone: 'UTC', execution, input, ...more };
}

const big = { 'trowel:leaf': 'int', text: '12345678901234567890' };

describe('session', () => {
  it('takes time and parameters from the input', async () => {
    const input = {
      session_time: '2030-01-31T00:00:00+09:00',
      params: { a: '${x}' },
      attempt_id: 7,
      session_id: 3,
      root: '/p/.trowel/attempts/7',
    };
    const { params, b } = await session(payload(input, { timezone: 'Asia/Tokyo' }));
    expect(params).toEqual({ a: '${x}' });
    expect(b.attempt).toEqual({ root: '/p/.trowel/attempts/7', workflow: 'main' });
    expect(b.vars).toMatchObject({
      session_time: '2030-01-31T00:00:00+09:00',
      attempt_id: 7,
      session_id: 3,
      project_id: 1,
    });
    expect(b.vars).not.toHaveProperty('task_name');
  });

  it.each<[string, Value, object]>([
    ['a key that looks like a mark', { params: { 'trowel:ref': 'x' } }, { 'trowel::ref': 'x', d: 0 }],
    ['what is encoded', { params: { d: big }, encoded: true }, { d: big }],
  ])('takes as data %s', async (_, input, expected) => {
    const { params } = await session(payload(input, { defaults: { d: 0 } }));
    expect(params).toEqual(expected);
  });

  it('makes the rest from the execution', async () => {
    for (const input of [null, {}]) {
      const { params, b } = await session(payload(input, { timezone: 'Asia/Tokyo' }));
      expect(params).toEqual({});
      expect(b.vars.session_time).toBe('2030-05-10T00:00:00+09:00');
      expect(b.attempt.root).toBe('attempts/e-1');
      expect(Number.isSafeInteger(b.vars.attempt_id)).toBe(true);
      expect(b.vars.session_uuid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}$/);
    }
  });

  it('gives the same session the same ids, and another attempt its own', async () => {
    const input = { session_time: '2030-01-31' };
    const [first, second] = [
      await session(payload(input)),
      await session(payload(input, { execution: { Id: '', Name: 'e-2', StartTime: '2031-01-01T00:00:00Z' } })),
    ];
    expect(second.b.vars.session_uuid).toBe(first.b.vars.session_uuid);
    expect(second.b.vars.session_id).toBe(first.b.vars.session_id);
    expect(second.b.vars.attempt_id).not.toBe(first.b.vars.attempt_id);
  });

  it('follows the schedule', async () => {
    const schedule = { kind: 'weekly', at: 'Sun,00:00:00', delay: 0, skipOnOvertime: false } as const;
    const { b } = await session(payload({}, { schedule }));
    expect(b.vars).toMatchObject({
      session_date: '2030-05-05',
      last_session_date: '2030-04-28',
      next_session_date: '2030-05-12',
    });
  });

  it.each<[Value, object]>([
    [{ resume_from: 'r/1' }, { resume: ['r/1'] }],
    [
      { resume_from: ['r/2', 'r/1'], rerun_changed: true },
      { resume: ['r/2', 'r/1'], rerunChanged: true },
    ],
    [{ resume_from: [] }, {}],
  ])('resumes: %j', async (input, attempt) => {
    expect((await session(payload(input))).b.attempt).toEqual({ root: 'attempts/e-1', workflow: 'main', ...attempt });
  });

  it.each<[Value, string[]]>([
    ['text', ['expected a mapping, got "text"']],
    [[1], ['expected a mapping, got [1]']],
    [{ params: { a: { b: 12345678901234567000 } } }, ['params.a.b is an integer beyond 2^53']],
    [{ params: { a: { 'trowel:ref': 'x' } }, encoded: true }, ['params.a is a value of another run']],
    [{ session: 'x' }, ["unknown key 'session'", 'variables belong under params']],
    [{ session_time: 'yesterday' }, ['yesterday']],
    [
      { session_time: 5, params: [], resume_from: 1 },
      ["for 'session_time', got 5", "a mapping for 'params', got []", "for 'resume_from', got 1"],
    ],
    [{ __proto__x: 1, toString: 1 }, ["'__proto__x'", "'toString'"]],
  ])('refuses %j', async (input, messages) => {
    const error = await session(payload(input)).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ name: 'Trowel.BadInput' });
    for (const message of messages) expect((error as Error).message).toContain(message);
  });

  it('refuses another protocol', async () => {
    await expect(session(payload({}, { v: 2 }))).rejects.toMatchObject({ name: 'Trowel.BadInput' });
  });
});
