import { executionName } from '../../deployed/arns.ts';
import { chosenExecution, runningExecution } from '../../deployed/choose-execution.ts';
import { killExecution } from '../../deployed/kill.ts';
import { plural } from '../../events/text.ts';
import { withoutEnding } from '../../language/find-project.ts';
import { RequestFault } from '../../language/request-fault.ts';
import { EXIT } from '../exit-codes.ts';
import type { Terminal } from '../terminal.ts';
import type { AwsFlags } from './aws-access.ts';
import { openDeployed } from './open-deployed.ts';

export async function killOne(terminal: Terminal, argument: string, flags: AwsFlags): Promise<number> {
  const opened = await openDeployed(terminal, flags);
  const reference = withoutEnding(argument);
  const { arn, name } = (await runningExecution(opened, reference)) ?? (await chosenExecution(opened, reference));
  const { connectContainers } = await import('../../deployed/containers-client.ts');
  const ended = await killExecution(opened.states, connectContainers(opened.connection), arn);
  const { executions, containers, fault } = ended;
  const stopped = [...executions.map(executionName), ...(containers === 0 ? [] : [plural(containers, 'container')])];
  if (stopped.length > 0) await terminal.stderr.write(`Stopped ${stopped.join(', ')}\n`);
  if (fault !== undefined) {
    const rest = 'Not all containers were stopped: they end by themselves when their next heartbeat is refused';
    throw new RequestFault(fault.kind, fault.message, [...fault.notes, rest], fault);
  }
  if (stopped.length === 0) throw new RequestFault('failed', `${name} has ended already`);
  return EXIT.ok;
}
