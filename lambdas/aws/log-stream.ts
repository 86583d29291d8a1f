import { consoleHost } from './console-link.ts';

/** A container's log in CloudWatch: the stream is `PREFIX/CONTAINER/TASK-ID` in one group. */
export interface LogPlace {
  readonly region: string;
  readonly group: string;
  readonly prefix: string;
}

export function logStream(taskArn: string, container: string, { prefix }: Pick<LogPlace, 'prefix'>): string {
  return `${prefix}/${container}/${taskArn.slice(taskArn.lastIndexOf('/') + 1)}`;
}

/** A link to the stream in the console, whose addresses are encoded twice, with `$` for `%`. */
export function logLink(stream: string, { region, group }: Pick<LogPlace, 'region' | 'group'>): string {
  const twice = (text: string): string => encodeURIComponent(encodeURIComponent(text)).replaceAll('%', '$');
  return `https://${consoleHost(region)}/cloudwatch/home?region=${region}#logsV2:log-groups/log-group/${twice(group)}/log-events/${twice(stream)}`;
}
