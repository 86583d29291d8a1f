import { LIMITS } from '../../asl/limits.ts';
import { consoleLink } from '../../contract/console-link.ts';
import { executionName } from '../../deployed/arns.ts';
import type { DeployedWorkflow } from '../../deployed/deployed-project.ts';
import { type ExecutionInput, newExecutionName, newInput } from '../../deployed/start.ts';
import { sessionTimeFor } from '../../expression/session.ts';
import type { Mapping } from '../../language/workflow.ts';
import { type StartingFlags, withAws } from '../aws-options.ts';
import type { ParamFlags } from '../commands/command.ts';
import type { StartFlags } from '../commands/start.ts';
import { EXIT, usageError } from '../exit-codes.ts';
import { deployedWorkflow, type Opened, openDeployed } from '../open-deployed.ts';
import { sessionParams } from '../session-params.ts';
import type { Terminal } from '../terminal.ts';
import { followExecution } from './follow-execution.ts';

export function startWorkflow(terminal: Terminal, argument: string, flags: StartFlags): Promise<number> {
  return withAws(async () => {
    checkSession(flags.session);
    const opened = await openDeployed(terminal, flags);
    const params = await givenParams(terminal, flags);
    const workflow = await deployedWorkflow(opened, argument);
    return startAndShow(terminal, opened, workflow, newInput(flags.session, params), flags);
  });
}

/** Starts an execution; follows it, or says how to. */
export async function startAndShow(
  terminal: Terminal,
  opened: Opened,
  { workflow, arn: machine }: DeployedWorkflow,
  input: ExecutionInput,
  flags: StartingFlags,
): Promise<number> {
  const text = JSON.stringify(input);
  const bytes = Buffer.byteLength(text);
  if (bytes > LIMITS.payloadBytes) {
    throw usageError(
      `the parameters take ${Math.ceil(bytes / 1024)} KiB, and an execution takes ${LIMITS.payloadBytes / 1024}`,
      'Put what is large into a file of the project, or into S3, and give its name as the parameter',
    );
  }
  const arn = await opened.states.start(machine, newExecutionName(workflow, Date.now()), text);
  const name = executionName(arn);
  const link = consoleLink(arn);
  const { stdout, stderr } = terminal;
  if (flags.follow) {
    // From here on it runs, whatever becomes of this process.
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

/** `-P` and `-p`. The files that trowel.yml names are deployed with the workflow. */
export function givenParams(terminal: Terminal, flags: ParamFlags): Promise<Mapping> {
  return sessionParams(terminal.cwd, { dir: terminal.cwd, config: { params: [] } }, flags);
}

/** What cannot be a session is refused before anything starts. Which it is, the deployed workflow decides: it knows its zone and schedule. */
function checkSession(value: string | undefined): void {
  if (value === undefined || value === 'schedule') return;
  const session = sessionTimeFor(value, { timezone: 'UTC', now: Date.now() });
  if (!session.ok) throw usageError(`--session ${value}: ${session.message}`);
}
