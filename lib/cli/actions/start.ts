import type { OpenedProject } from '../../deployed/open-project.ts';
import { type StartedExecution, startExecution } from '../../deployed/start-execution.ts';
import { withoutEnding } from '../../language/find-project.ts';
import { EXIT } from '../exit-codes.ts';
import type { Terminal } from '../terminal.ts';
import type { StartingFlags } from './aws-access.ts';
import { followExecution } from './follow-execution.ts';
import { givenMapping } from './given-params.ts';
import { openDeployed } from './open-deployed.ts';

export interface StartFlags extends StartingFlags {
  readonly session?: string;
}

export async function startWorkflow(terminal: Terminal, argument: string, flags: StartFlags): Promise<number> {
  const opened = await openDeployed(terminal, flags);
  const params = await givenMapping(terminal.cwd, flags);
  const started = await startExecution(opened, { workflow: withoutEnding(argument), session: flags.session, params });
  return showStarted(terminal, opened, started, flags);
}

/** Follows the execution, or says how to. */
export async function showStarted(
  terminal: Terminal,
  opened: OpenedProject,
  { name, arn, link }: StartedExecution,
  flags: StartingFlags,
): Promise<number> {
  const { stdout, stderr } = terminal;
  if (flags.follow) {
    // From here on the execution runs on AWS, even if this process ends.
    if (!flags.json) await stderr.write(`Started ${name}\n`);
    return followExecution(terminal, opened, arn, flags);
  }
  await stdout.write(flags.json ? `${JSON.stringify({ execution: name, arn, link })}\n` : `${arn}\n`);
  if (!flags.json) {
    const watch = opened.command('log', name, '--aws', '--follow');
    await stderr.write(`Started ${name}\n  watch it: ${watch}\n  console:  ${link}\n`);
  }
  return EXIT.ok;
}
