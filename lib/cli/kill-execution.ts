import { executionName } from '../deployed/arns.ts';
import { withoutEnding } from '../deployed/find-execution.ts';
import { killExecution } from '../deployed/kill.ts';
import { type AwsFlags, connectionOf, withAws } from './aws-options.ts';
import { CliError, EXIT, usageError } from './exit-codes.ts';
import { chosenExecution, type Opened, openDeployed } from './open-deployed.ts';
import type { Terminal } from './terminal.ts';
import { plural } from './text.ts';

export function killOne(terminal: Terminal, reference: string, flags: AwsFlags): Promise<number> {
  return withAws(async () => {
    const opened = await openDeployed(terminal, flags);
    await refuseSeveral(opened, reference);
    const { arn, name } = await chosenExecution(opened, reference, {
      fits: ({ status }) => status === 'RUNNING',
      otherwise: `no execution of ${withoutEnding(reference)} runs`,
    });
    const { connectContainers } = await import('../deployed/containers-client.ts');
    const { executions, containers } = await killExecution(opened.states, connectContainers(connectionOf(flags)), arn);
    const nested = executions.filter((each) => each !== arn).map(executionName);
    const more = [...nested, ...(containers === 0 ? [] : [plural(containers, 'container')])];
    if (!executions.includes(arn) && containers + nested.length === 0) {
      throw new CliError(EXIT.failed, `${name} has ended already`);
    }
    await terminal.stderr.write(`Stopped ${[name, ...more].join(', ')}\n`);
    return EXIT.ok;
  });
}

/** The latest of several that run may not be the one that was meant. */
async function refuseSeveral({ states, deployed }: Opened, reference: string): Promise<void> {
  const workflow = await deployed.workflow(withoutEnding(reference));
  if (workflow === undefined) return;
  const running = await states.executions(workflow.arn, 10, 'RUNNING');
  if (running.length < 2) return;
  throw usageError(
    `several executions of ${workflow.workflow} run: which one?`,
    ...running.map(({ name, started }) => `${name}  started ${new Date(started).toISOString()}`),
  );
}
