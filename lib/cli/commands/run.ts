import { type Command, InvalidArgumentError, Option } from 'commander';
import type { RunFlags } from '../actions/run.ts';
import { type Action, examples, paramOptions, positive } from './command.ts';

export function define(command: Command, run: Action): void {
  command
    .description('Runs a workflow here, using the state machine that would be deployed.')
    .usage('[workflow] [+task] [options]')
    .argument('[workflow]', 'a .dig file, with or without .dig; not needed if there is only one')
    .argument('[task]', 'run only this task or group; give the end of its full name, such as +load')
    .option('--project <dir>', 'folder of the project (default: the one with trowel.yml or the workflow)');
  paramOptions(command)
    .option('-t, --session <time>', 'daily, hourly, schedule, last, "yyyy-MM-dd" or "yyyy-MM-dd HH:mm:ss"')
    .addOption(new Option('--session-time <time>').hideHelp())
    .option('--timezone <zone>', 'time zone of workflows that name none, such as Asia/Tokyo')
    .addOption(new Option('-s, --start <task>', 'skip the tasks that this task waits for').conflicts(['goal', 'rerun']))
    .addOption(new Option('-g, --goal <task>', 'run this task and what it waits for').conflicts(['end', 'rerun']))
    .option('-e, --end <task>', 'run only what comes before this task')
    .option('--resume', 'continue the last attempt that did not succeed, without repeating what succeeded')
    .option('--from-last', 'with +task: run it with the values that earlier tasks stored in the last attempt')
    .option('--rerun-changed', 'with --resume: also repeat tasks whose Python code has changed')
    .option('-a, --rerun', 'accepted for digdag; every run runs everything')
    .addOption(new Option('--all').hideHelp())
    .option('-d, --dry-run', 'evaluate everything, run no task; values that only a run can give are <unknown: …>')
    .option('-E, --show-params', 'show the variables that each task sees (-dE: without running)')
    .option('--debug <task>', 'debug this Python task with pdb in this terminal')
    .option('--debug-port <port>', 'with --debug: wait on this port for a debugger (debugpy)', port)
    .option(
      '--max-task-threads <n>',
      'run at most n tasks at once (default: 64, or 4 for each processor if that is more)',
      positive,
    )
    .option('-o, --save <dir>', 'folder of the history', '.trowel')
    .option('--no-save', 'keep no history; such a run cannot be resumed')
    .option('-O, --task-log <dir>', 'also write the log of each task there')
    .option('--json', 'print events as JSON, one per line (docs/events.md)')
    .addHelpText(
      'after',
      examples(
        ['trowel run main.dig', ''],
        ['trowel run main.dig -p region=eu --session 2030-01-31', ''],
        ['trowel run main.dig +report', 'only one task or group'],
        ['trowel run main.dig +report --from-last', 'the same, with the values of the last attempt'],
        ['trowel run main.dig --resume', 'continue after a failure'],
        ['trowel run main.dig --debug +load', 'debug the task +load'],
      ),
    )
    .action((workflow: string | undefined, task: string | undefined, flags: RunFlags) =>
      run(async (terminal) => {
        const { runWorkflow } = await import('../actions/run.ts');
        return runWorkflow(terminal, workflow, task, flags);
      }),
    );
}

function port(text: string): number {
  const value = positive(text);
  if (value > 65_535) throw new InvalidArgumentError('Expected a port number.');
  return value;
}
