import { deployedWorkflow, notDeployed } from '../../deployed/choose-execution.ts';
import { type ListedExecution, listExecutions } from '../../deployed/list-executions.ts';
import { withoutEnding } from '../../language/find-project.ts';
import { EXIT } from '../exit-codes.ts';
import { COURSE, courseCells } from '../render/course.ts';
import { table } from '../render/table.ts';
import type { Colors, Terminal } from '../terminal.ts';
import { openDeployed } from './open-deployed.ts';
import type { SessionsFlags } from './sessions.ts';

/** `trowel sessions --aws` */
export async function listOnAws(
  terminal: Terminal,
  workflow: string | undefined,
  flags: SessionsFlags,
): Promise<number> {
  const opened = await openDeployed(terminal, flags);
  const { deployed, states } = opened;
  const workflows =
    workflow === undefined ? await deployed.workflows() : [await deployedWorkflow(opened, withoutEnding(workflow))];
  if (workflows.length === 0) throw notDeployed(deployed.name, undefined, []);
  const executions = await listExecutions(states, workflows, flags.limit);
  if (flags.json) {
    for (const each of executions) await terminal.stdout.write(`${JSON.stringify(each)}\n`);
  } else if (executions.length === 0) {
    await terminal.stderr.write(`No execution of ${workflows.map((each) => each.workflow).join(', ')} yet\n`);
  } else {
    await terminal.stdout.write(renderExecutions(executions, terminal.stdout.colors));
  }
  return EXIT.ok;
}

function renderExecutions(executions: readonly ListedExecution[], colors: Colors): string {
  const rows = executions.map((each) => [each.execution, each.workflow, each.session_time ?? '', ...courseCells(each)]);
  return table(['EXECUTION', 'WORKFLOW', 'SESSION TIME', ...COURSE], rows, colors);
}
