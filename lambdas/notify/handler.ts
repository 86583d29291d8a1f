import { randomUUID } from 'node:crypto';
import { retriable } from '../../lib/contract/faults.ts';
import type { Payload } from '../../lib/contract/payload.ts';
import { checkVersion } from '../../lib/contract/protocol.ts';
import { type AlarmEvent, alarmed } from '../../lib/functions/notify/alarm.ts';
import { executionEnded } from '../../lib/functions/notify/execution-ended.ts';
import { confined } from '../aws/attempts.ts';
import { logger } from '../aws/logger.ts';
import { type Clients, executionServices, makeClients } from './clients.ts';
import { operator } from './operator.ts';

/** "Step Functions Execution Status Change", as far as it is read: what it says is asked of the service anew. */
interface StatusEvent {
  readonly detail: { readonly executionArn: string };
}

type Event = Payload | StatusEvent | AlarmEvent;

let clients: Clients | undefined;

/**
 * Invoked by the state of a mail>, slack>, notify> or an sla, by EventBridge when an execution has ended, and by alarms. What it throws
 * fails the state; for an event Lambda tries it twice more and then puts it into the dead-letter queue.
 */
export const handler = retriable(
  async (event: Event, context?: { readonly awsRequestId?: string }): Promise<object> => {
    const own = 'alarmData' in event || 'detail' in event;
    if (!own) checkVersion(event);
    clients ??= makeClients();
    const services = executionServices(clients, context?.awsRequestId ?? randomUUID());
    if (!own) return operator(confined(event, clients.objects.bucket), clients, services);
    const told =
      'alarmData' in event
        ? // The topic has that of undelivered messages by itself.
          await alarmed(
            event,
            services,
            services.channels.filter(({ name }) => name === 'slack'),
          )
        : await executionEnded(event.detail.executionArn, services);
    logger.info('handled', { told });
    return { told };
  },
);
