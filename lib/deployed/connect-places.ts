import type { Connection } from './connection.ts';
import type { ReportParts } from './reports.ts';
import type { Places } from './task-sources.ts';

/** Clients for what tasks print and report. That of reports is loaded when it is first asked: few tasks make any. */
export async function connectPlaces(connection: Connection): Promise<Pick<Places, 'logs' | 'reports'>> {
  const { connectLogs } = await import('./logs-client.ts');
  let client: Promise<ReportParts> | undefined;
  const reports: ReportParts = {
    async read(uri, from) {
      client ??= import('./reports-client.ts').then(({ connectReports }) => connectReports(connection));
      return (await client).read(uri, from);
    },
  };
  return { logs: connectLogs(connection), reports };
}
