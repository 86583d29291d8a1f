import { chosenExecution } from '../../deployed/choose-execution.ts';
import { executionSoFar, watchExecution } from '../../deployed/watch-execution.ts';
import { withoutEnding } from '../../language/find-project.ts';
import type { Terminal } from '../terminal.ts';
import type { LogFlags } from './log.ts';
import { showEvents } from './log.ts';
import { openDeployed } from './open-deployed.ts';

/** `trowel log --aws`: the events of an execution, shown as those of an attempt here. */
export async function showExecutionLog(
  terminal: Terminal,
  argument: string | undefined,
  pattern: string | undefined,
  flags: LogFlags,
): Promise<number> {
  const opened = await openDeployed(terminal, flags);
  const reference = argument === undefined ? undefined : withoutEnding(argument);
  const { arn, machineArn, status, name } = await chosenExecution(opened, reference);
  // An ARN may be given from any folder.
  const project = await opened.deployed.projectOf(machineArn);
  const running = flags.follow && status === 'RUNNING';
  const events = running ? watchExecution(opened, arn, { project }) : executionSoFar(opened, arn, project);
  return showEvents(terminal, events, pattern, name);
}
