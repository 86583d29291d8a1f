import { CloudWatchLogsClient, GetLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { asking, isAbsent } from './aws-fault.ts';
import { type Connection, clientOptions } from './connection.ts';
import type { LogPage, Logs } from './logs.ts';

export function connectLogs(connection: Connection): Logs {
  const client = new CloudWatchLogsClient(clientOptions(connection));
  return {
    async page(logGroupName, logStreamName, nextToken): Promise<LogPage> {
      const request = new GetLogEventsCommand({ logGroupName, logStreamName, nextToken, startFromHead: true });
      try {
        const { events = [], nextForwardToken } = await asking('logs:GetLogEvents', () => client.send(request));
        const lines = events.map(({ timestamp = 0, message = '' }) => ({ time: timestamp, text: message }));
        return nextForwardToken === undefined ? { lines } : { lines, next: nextForwardToken };
      } catch (error) {
        // A stream is made when a container writes its first line.
        if (isAbsent(error)) return { lines: [] };
        throw error;
      }
    },
  };
}
