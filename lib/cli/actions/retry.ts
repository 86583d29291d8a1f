import { retryExecution } from '../../deployed/start-execution.ts';
import { withoutEnding } from '../../language/find-project.ts';
import type { Terminal } from '../terminal.ts';
import type { StartingFlags } from './aws-access.ts';
import { givenMapping } from './given-params.ts';
import { openDeployed } from './open-deployed.ts';
import { showStarted } from './start.ts';

export interface RetryFlags extends StartingFlags {
  readonly resume?: true;
}

export async function retry(terminal: Terminal, reference: string | undefined, flags: RetryFlags): Promise<number> {
  const opened = await openDeployed(terminal, flags);
  const params = await givenMapping(terminal.cwd, flags);
  const execution = reference === undefined ? undefined : withoutEnding(reference);
  const started = await retryExecution(opened, { execution, resume: flags.resume === true, params });
  return showStarted(terminal, opened, started, flags);
}
