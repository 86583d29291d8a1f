import { describe, expect, it } from 'vitest';
import { refusal, shortage } from '../../../lib/functions/ecs-errors.ts';

function fault(name: string, message: string): Error {
  return Object.assign(new Error(message), { name, $fault: 'client', $metadata: { httpStatusCode: 400 } });
}

describe('refusal', () => {
  it.each([
    [
      'AccessDeniedException',
      'User: arn:aws:sts::1:assumed-role/r/launch is not authorized to perform: ecs:RunTask on resource: arn:aws:ecs:x:1:task-definition/p:1 because no identity-based policy allows the ecs:RunTask action',
      'Trowel.BadInput',
    ],
    ['ClientException', 'Capacity is unavailable at this time. Please try again later', 'Trowel.NoCapacity'],
    [
      'ClientException',
      "You've reached the limit on the number of vCPUs you can run concurrently",
      'Trowel.NoCapacity',
    ],
    ['InvalidParameterException', 'Rate exceeded', 'Trowel.Throttled'],
    ['InvalidParameterException', 'TaskDefinition not found.', 'Trowel.BadInput'],
  ])('%s: %s', (name, message, error) => {
    expect(refusal(fault(name, message))).toMatchObject({ name: error, message: expect.stringContaining(message) });
  });
});

describe('shortage', () => {
  it.each(['RESOURCE:ENI', 'RESOURCE:FARGATE', ''])('%s', (reason) => {
    expect(shortage([{ reason }]).name).toBe('Trowel.NoCapacity');
  });
});
