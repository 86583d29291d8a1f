import { machineArnOf, machineName } from '../../deployed/arns.ts';
import { inputAgain } from '../../deployed/start.ts';
import { withAws } from '../aws-options.ts';
import type { RetryFlags } from '../commands/retry.ts';
import { usageError } from '../exit-codes.ts';
import { chosenExecution, openDeployed } from '../open-deployed.ts';
import type { Terminal } from '../terminal.ts';
import { givenParams, startAndShow } from './start.ts';

export function retryExecution(terminal: Terminal, reference: string | undefined, flags: RetryFlags): Promise<number> {
  return withAws(async () => {
    const opened = await openDeployed(terminal, flags);
    const params = await givenParams(terminal, flags);
    const resume = flags.resume === true;
    const earlier = await chosenExecution(opened, reference, {
      fits: ({ status }) => !resume || status !== 'SUCCEEDED',
      otherwise: resume ? 'there is nothing to resume' : 'there is nothing to retry',
    });
    if (earlier.status === 'RUNNING') {
      throw usageError(`${earlier.name} still runs`, `To end it: ${opened.command('kill', earlier.name)}`);
    }
    if (resume && earlier.status === 'SUCCEEDED') {
      throw usageError(
        `there is nothing to resume: ${earlier.name} succeeded`,
        'Without --resume, everything runs again',
      );
    }
    const arn = machineArnOf(earlier.arn);
    const known = (await opened.deployed.workflows()).find((each) => each.arn === arn);
    if (known === undefined) throw usageError(`${machineName(arn)} is no workflow of project ${opened.deployed.name}`);
    const input = await inputAgain(opened.states, earlier, { resume, params });
    return startAndShow(terminal, opened, known, input, flags);
  });
}
