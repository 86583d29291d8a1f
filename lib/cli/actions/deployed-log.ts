import { taskLogGroup } from '../../contract/deployed-names.ts';
import { ExecutionEvents } from '../../deployed/execution-events.ts';
import { follow } from '../../deployed/follow.ts';
import { recordedEvents } from '../../deployed/recorded-events.ts';
import { connectionOf, withAws } from '../aws-options.ts';
import type { LogFlags } from '../commands/log.ts';
import { chosenExecution, openDeployed } from '../open-deployed.ts';
import type { Terminal } from '../terminal.ts';
import { showEvents } from './log.ts';

/** `trowel log --aws`: the events of an execution, shown as those of an attempt here. */
export function showExecutionLog(
  terminal: Terminal,
  reference: string | undefined,
  pattern: string | undefined,
  flags: LogFlags,
): Promise<number> {
  return withAws(async () => {
    const opened = await openDeployed(terminal, flags);
    const { arn, machineArn, status, name } = await chosenExecution(opened, reference);
    const { connectLogs } = await import('../../deployed/logs-client.ts');
    const logs = connectLogs(connectionOf(flags));
    // An ARN may be given from any folder.
    const group = taskLogGroup(await opened.deployed.projectOf(machineArn));
    const events = new ExecutionEvents(opened.states, arn);
    const running = flags.follow && status === 'RUNNING';
    const told = running ? follow(events, { logs, group }) : recordedEvents(events, logs, group);
    return showEvents(terminal, told, pattern, name);
  });
}
