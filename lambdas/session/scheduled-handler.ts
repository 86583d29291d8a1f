import { ExecutionAlreadyExists, ListExecutionsCommand, SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import type { ScheduledPayload } from '../../lib/contract/payload.ts';
import { type Scheduled, scheduled } from '../../lib/functions/session/scheduled.ts';
import { logger } from '../aws/logger.ts';

let client: SFNClient | undefined;

/** Invoked by EventBridge Scheduler, through the handler of `session`. What it throws is tried again twice, and ends in this function's dead-letter queue. */
export async function startScheduled(event: ScheduledPayload): Promise<Scheduled> {
  client ??= new SFNClient({});
  const sfn = client;
  const result = await scheduled(event, {
    now: Date.now,
    running: async (stateMachineArn) => {
      const request = new ListExecutionsCommand({ stateMachineArn, statusFilter: 'RUNNING', maxResults: 1 });
      const { executions = [] } = await sfn.send(request);
      return executions.length > 0;
    },
    start: async (stateMachineArn, name, input) => {
      try {
        await sfn.send(new StartExecutionCommand({ stateMachineArn, name, input: JSON.stringify(input) }));
        return true;
      } catch (error) {
        if (error instanceof ExecutionAlreadyExists) return false;
        throw error;
      }
    },
  });
  logger.info('a scheduled run', { workflow: event.workflow, ...result });
  return result;
}
