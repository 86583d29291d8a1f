import { type Network, type NetworkRequest, network, physicalId } from '../../lib/functions/network/core.ts';
import { logger } from '../aws/logger.ts';
import { networkAccount } from './account.ts';

interface Context {
  getRemainingTimeInMillis(): number;
}

/** Characters of a reason: an answer may have 4,096 bytes. */
const REASON = 1_500;
/** Of a resource that was not made. */
const NONE = 'none';
const TRIES = 5;

/**
 * Invoked by CloudFormation, for a resource of a project's stack. Whatever happens, it is answered: else the stack would wait until the
 * resource's time is over.
 */
export async function handler(request: NetworkRequest, context: Context): Promise<void> {
  const { RequestType, StackId, PhysicalResourceId } = request;
  let answer: object;
  try {
    const found = await network(
      request,
      networkAccount(() => context.getRemainingTimeInMillis()),
    );
    answer = { Status: 'SUCCESS', ...told(found, PhysicalResourceId) };
    logger.info('network', { RequestType, StackId, network: found });
  } catch (error) {
    logger.error('no network', error as Error);
    const { name, message } = error as Error;
    const Reason = name === 'NetworkFault' ? message : `${name}: ${message}`;
    answer = { Status: 'FAILED', Reason: Reason.slice(0, REASON), PhysicalResourceId: PhysicalResourceId ?? NONE };
  }
  const { RequestId, LogicalResourceId } = request;
  await put(request.ResponseURL, JSON.stringify({ ...answer, StackId, RequestId, LogicalResourceId }));
}

function told(found: Network | undefined, before = NONE): object {
  if (found === undefined) return { PhysicalResourceId: before };
  return { PhysicalResourceId: physicalId(found), Data: { VpcId: found.vpc, Subnets: found.subnets.join(',') } };
}

/** The address is signed for a PUT without a content type; a text would be sent with one. */
async function put(url: string, body: string): Promise<void> {
  for (let tried = 1; ; tried++) {
    const outcome = await fetch(url, { method: 'PUT', body: Buffer.from(body) }).then(
      ({ ok, status }) => (ok ? undefined : `status ${status}`),
      (error: Error) => String(error.cause ?? error),
    );
    if (outcome === undefined) return;
    logger.warn(`CloudFormation did not take the answer: ${outcome}`);
    if (tried === TRIES) throw new Error(`CloudFormation did not take the answer: ${outcome}`);
    await new Promise((resolve) => setTimeout(resolve, tried * 1_000));
  }
}
