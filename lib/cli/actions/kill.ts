import { executionName } from '../../deployed/arns.ts';
import { killExecution } from '../../deployed/kill.ts';
import type { ExecutionEntry } from '../../deployed/states.ts';
import { plural } from '../../events/text.ts';
import { type AwsFlags, connectionOf, refusal, withAws } from '../aws-options.ts';
import { CliError, EXIT, usageError } from '../exit-codes.ts';
import { withoutEnding } from '../find-project.ts';
import { chosenExecution, type Opened, openDeployed } from '../open-deployed.ts';
import type { Terminal } from '../terminal.ts';

export function killOne(terminal: Terminal, reference: string, flags: AwsFlags): Promise<number> {
  return withAws(async () => {
    const opened = await openDeployed(terminal, flags);
    const { arn, name } = (await runningOf(opened, reference)) ?? (await chosenExecution(opened, reference));
    const { connectContainers } = await import('../../deployed/containers-client.ts');
    const ended = await killExecution(opened.states, connectContainers(connectionOf(flags)), arn);
    const { executions, containers, fault } = ended;
    const stopped = [...executions.map(executionName), ...(containers === 0 ? [] : [plural(containers, 'container')])];
    if (stopped.length > 0) await terminal.stderr.write(`Stopped ${stopped.join(', ')}\n`);
    if (fault !== undefined) {
      throw refusal(
        fault,
        'Not all containers were stopped: they end by themselves when their next heartbeat is refused',
      );
    }
    if (stopped.length === 0) throw new CliError(EXIT.failed, `${name} has ended already`);
    return EXIT.ok;
  });
}

/** The one execution of a workflow that runs, for the latest of several may not be the one that was meant. Undefined if it names no workflow. */
async function runningOf({ states, deployed }: Opened, reference: string): Promise<ExecutionEntry | undefined> {
  const workflow = await deployed.workflow(withoutEnding(reference));
  if (workflow === undefined) return undefined;
  const running = await states.executions(workflow.arn, 10, 'RUNNING');
  const [only] = running;
  if (only === undefined) throw usageError(`no execution of ${workflow.workflow} runs`);
  if (running.length === 1) return only;
  throw usageError(
    `several executions of ${workflow.workflow} run: which one?`,
    ...running.map(({ name, started }) => `${name}  started ${new Date(started).toISOString()}`),
  );
}
