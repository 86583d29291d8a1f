import { describe, expect, it } from 'vitest';
import { TrowelError } from '../../../lib/contract/errors.ts';
import { passing, retriable } from '../../../lib/contract/faults.ts';

const fault = (name: string, more: object = {}) => Object.assign(new Error(name), { name, ...more });
const status = (httpStatusCode: number) => ({ $fault: 'client', $metadata: { httpStatusCode } });

describe('passing', () => {
  it.each([
    [fault('SlowDown', status(503)), 'Trowel.Throttled'],
    [fault('ThrottlingException', status(400)), 'Trowel.Throttled'],
    [fault('TooManyRequestsException', status(429)), 'Trowel.Throttled'],
    [fault('InternalError', status(500)), 'Trowel.NoCapacity'],
    [fault('InternalServiceError', { $fault: 'server' }), 'Trowel.NoCapacity'],
    [fault('Error', { code: 'ECONNRESET' }), 'Trowel.NoCapacity'],
    [fault('TimeoutError'), 'Trowel.NoCapacity'],
    [fault('AccessDenied', status(403)), undefined],
    [fault('TypeError'), undefined],
    [fault('Error: rate exceeded, said the user'), undefined],
    [new TrowelError('Trowel.TaskFailed', 'HTTP 503: throttled'), undefined],
  ])('%s is %s', (error, name) => {
    expect(passing(error)).toBe(name);
  });

  it('gives states a name that they try again', async () => {
    const act = retriable(() => Promise.reject(fault('InternalError', status(500))));
    await expect(act({})).rejects.toMatchObject({
      name: 'Trowel.NoCapacity',
      message: 'A service of AWS did not answer: InternalError: InternalError',
    });
  });
});
