import {
  DescribeExecutionCommand,
  GetExecutionHistoryCommand,
  ListExecutionsCommand,
  type SFNClient,
} from '@aws-sdk/client-sfn';
import { historyEvent } from '../../lib/events/listed-event.ts';
import type { ExecutionServices } from '../../lib/functions/notify/execution-ended.ts';

/** Events and executions of one page; the history's beginning has six. */
const FIRST = 12;
const LAST = 300;
const PAGE = 100;

/** Questions to Step Functions about executions. */
export function executionReader(client: SFNClient): Pick<ExecutionServices, 'describe' | 'events' | 'executions'> {
  return {
    describe: async (executionArn) => {
      const found = await client.send(new DescribeExecutionCommand({ executionArn }));
      return {
        arn: executionArn,
        machine: found.stateMachineArn ?? '',
        name: found.name ?? '',
        status: found.status ?? '',
        start: found.startDate?.getTime() ?? 0,
        stop: found.stopDate?.getTime(),
        redrives: found.redriveCount,
        error: found.error,
        cause: found.cause,
      };
    },
    events: async (executionArn, which) => {
      const maxResults = which === 'first' ? FIRST : LAST;
      const request = { executionArn, maxResults, reverseOrder: which === 'last', includeExecutionData: true };
      const { events = [] } = await client.send(new GetExecutionHistoryCommand(request));
      return events.map(historyEvent);
    },
    executions: async (stateMachineArn, statusFilter) => {
      const request = new ListExecutionsCommand({ stateMachineArn, statusFilter, maxResults: PAGE });
      const { executions = [] } = await client.send(request);
      return executions.map(({ executionArn = '', name = '', status = '', startDate, stopDate }) => ({
        arn: executionArn,
        machine: stateMachineArn,
        name,
        status,
        start: startDate?.getTime() ?? 0,
        stop: stopDate?.getTime(),
      }));
    },
  };
}
