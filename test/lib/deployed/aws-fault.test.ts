import { describe, expect, it } from 'vitest';
import { AwsFault, asking } from '../../../lib/deployed/aws-fault.ts';

const error = (name: string, message: string, more: object = {}): Error =>
  Object.assign(new Error(message), { name, ...more });

async function explained(thrown: unknown): Promise<AwsFault> {
  const fault = await asking('states:StartExecution', () => Promise.reject(thrown)).catch((caught: unknown) => caught);
  if (!(fault instanceof AwsFault)) throw new Error(`expected an AwsFault, got ${fault}`);
  return fault;
}

describe('what AWS refuses', () => {
  it.each([
    [
      error('CredentialsProviderError', 'Could not load credentials from any providers'),
      'setup',
      'there are no AWS credentials',
    ],
    [
      error('TokenProviderError', "Token is expired. To refresh this SSO session run 'aws sso login'"),
      'setup',
      'have expired',
    ],
    [
      error(
        'CredentialsProviderError',
        'The SSO session associated with this profile has expired. To refresh this SSO session run aws sso login',
      ),
      'setup',
      'have expired',
    ],
    [error('ExpiredTokenException', 'The security token included in the request is expired'), 'setup', 'have expired'],
    [error('ExpiredToken', 'The provided token has expired.'), 'setup', 'have expired'],
    [
      error('UnrecognizedClientException', 'The security token included in the request is invalid.'),
      'setup',
      'does not know',
    ],
    [error('InvalidClientTokenId', 'The security token included in the request is invalid.'), 'setup', 'does not know'],
    [error('Error', 'Region is missing'), 'setup', 'no AWS region is known'],
    [
      error('Error', 'getaddrinfo ENOTFOUND states.nowhere.amazonaws.com', { code: 'ENOTFOUND' }),
      'setup',
      'cannot be reached',
    ],
    [error('TimeoutError', 'Connection timed out'), 'setup', 'cannot be reached'],
    [
      error('AccessDeniedException', 'User: x is not authorized to perform: states:StartExecution'),
      'denied',
      'do not allow states:StartExecution',
    ],
    [error('UnauthorizedOperation', 'You are not authorized'), 'denied', 'do not allow states:StartExecution'],
    [error('StateMachineDoesNotExist', 'State Machine Does Not Exist'), 'absent', 'State Machine Does Not Exist'],
    [error('InvalidName', 'Invalid Name'), 'refused', 'states:StartExecution: Invalid Name'],
  ])('%s', async (thrown, reason, message) => {
    const fault = await explained(thrown);
    expect(fault.message).toContain(message);
    expect(fault).toMatchObject({ reason, action: 'states:StartExecution' });
  });

  it('says what the service said of a right that is missing', async () => {
    const said = 'User: x is not authorized to perform: states:StartExecution on resource: y';
    expect((await explained(error('AccessDeniedException', said))).notes).toEqual([said]);
  });

  it.each([
    [error('ThrottlingException', 'Rate exceeded', { $fault: 'client' }), 'no more calls of states:StartExecution'],
    [error('InternalServerError', '', { $fault: 'server' }), 'could not answer a call of states:StartExecution'],
  ])('what passes is to be tried again: %s', async (thrown, message) => {
    const fault = await explained(thrown);
    expect(fault.message).toContain(message);
    expect(fault.notes).toEqual(['Try again in a minute', expect.stringContaining(thrown.name)]);
    expect(fault.reason).toBe('refused');
  });

  it('looks into several failed connections', async () => {
    const refused = error('Error', 'connect ECONNREFUSED 127.0.0.1:1', { code: 'ECONNREFUSED' });
    expect((await explained(new AggregateError([refused], ''))).message).toBe('AWS cannot be reached');
  });

  it('passes on what is explained already', async () => {
    const fault = new AwsFault('absent', 'x:Y', 'gone', []);
    expect(await explained(fault)).toBe(fault);
  });
});
