import { consoleHost } from './console-link.ts';

/** A container's log in CloudWatch: the stream is `PREFIX/CONTAINER/TASK-ID` in one group. */
export function logStream(taskArn: string, container: string, prefix: string): string {
  return `${prefix}/${container}/${taskArn.slice(taskArn.lastIndexOf('/') + 1)}`;
}

/** A link to the stream in the console, whose addresses are encoded twice, with `$` for `%`. */
export function logLink(stream: string, group: string, region: string): string {
  const twice = (text: string): string => encodeURIComponent(encodeURIComponent(text)).replaceAll('%', '$');
  return `https://${consoleHost(region)}/cloudwatch/home?region=${region}#logsV2:log-groups/log-group/${twice(group)}/log-events/${twice(stream)}`;
}
