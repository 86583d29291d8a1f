import { type Command, InvalidArgumentError, Option } from 'commander';
import { type Action, examples, type ParamFlags, paramOptions, positive } from './command.ts';

/** As commander gives them. Names are digdag's. */
export interface RunFlags extends ParamFlags {
  readonly project?: string;
  readonly session?: string;
  readonly sessionTime?: string;
  readonly timezone?: string;
  readonly start?: string;
  readonly goal?: string;
  readonly end?: string;
  readonly rerun?: true;
  readonly resume?: true;
  readonly fromLast?: true;
  readonly rerunChanged?: true;
  readonly dryRun?: true;
  readonly showParams?: true;
  readonly save: string | false;
  readonly taskLog?: string;
  readonly maxTaskThreads?: number;
  readonly json?: true;
  readonly debug?: string;
  readonly debugPort?: number;
}

export function define(command: Command, run: Action): void {
  command
    .description('Runs a workflow here, on the very state machine that would be deployed.')
    .usage('[workflow] [+task] [options]')
    .argument('[workflow]', 'a .dig file, with or without .dig; may be left out where there is only one')
    .argument('[task]', 'run only this task and what is below it: the end of its full name, e.g. +load')
    .option('--project <dir>', 'folder of the project (default: where trowel.yml or the workflow is)');
  paramOptions(command)
    .option('-t, --session <time>', 'daily, hourly, schedule, last, "yyyy-MM-dd" or "yyyy-MM-dd HH:mm:ss"')
    .addOption(new Option('--session-time <time>').hideHelp())
    .option('--timezone <zone>', 'time zone of workflows that name none, e.g. Asia/Tokyo')
    .addOption(new Option('-s, --start <task>', 'leave out what this task waits for').conflicts(['goal', 'rerun']))
    .addOption(new Option('-g, --goal <task>', 'this task and what it waits for').conflicts(['end', 'rerun']))
    .option('-e, --end <task>', 'stop before this task')
    .option('--resume', 'continue the last attempt that did not succeed: what succeeded in it is not repeated')
    .option('--from-last', 'with +task: run it with the values that the tasks before it stored in the last attempt')
    .option('--rerun-changed', 'with --resume: repeat also what has succeeded, if its Python code was changed since')
    .option('-a, --rerun', 'run everything (as always: accepted for digdag)')
    .addOption(new Option('--all').hideHelp())
    .option('-d, --dry-run', 'evaluate everything, run no task; what only a run can give is shown as <unknown: …>')
    .option('-E, --show-params', 'show what each task sees before it runs (-dE: without running)')
    .option('--debug <task>', 'stop in this Python task with pdb, in this terminal')
    .option('--debug-port <port>', 'with --debug: wait there for a debugger (debugpy) instead', port)
    .option(
      '--max-task-threads <n>',
      'run at most so many tasks at once (default: 64, or 4 for each processor if that is more)',
      positive,
    )
    .option('-o, --save <dir>', 'keep history there', '.trowel')
    .option('--no-save', 'keep no history: no --resume later')
    .option('-O, --task-log <dir>', 'write the log of each task there too')
    .option('--json', 'events as JSON on standard output, one a line (docs/events.md)')
    .addHelpText(
      'after',
      examples(
        ['trowel run main.dig', ''],
        ['trowel run main.dig -p region=eu --session 2030-01-31', ''],
        ['trowel run main.dig +report', 'only one task, or one group'],
        ['trowel run main.dig +report --from-last', 'the same with the values of the last attempt'],
        ['trowel run main.dig --resume', 'after a failure, from where it failed'],
        ['trowel run main.dig --debug +load', 'pdb in the task +load'],
      ),
    )
    .action((workflow: string | undefined, task: string | undefined, flags: RunFlags) =>
      run(async (terminal) => {
        const { runWorkflow } = await import('./run-workflow.ts');
        return runWorkflow(terminal, { workflow, task, flags });
      }),
    );
}

function port(text: string): number {
  const value = positive(text);
  if (value > 65_535) throw new InvalidArgumentError('Expected a port number.');
  return value;
}
