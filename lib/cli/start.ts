import type { Command } from 'commander';
import { type AwsFlags, connectionOptions, projectOption } from './aws-options.ts';
import { type Action, collect, examples } from './command.ts';

export interface StartFlags extends AwsFlags {
  readonly session?: string;
  readonly param?: readonly string[];
  readonly paramsFile?: readonly string[];
  readonly follow?: true;
  readonly json?: true;
}

export function define(command: Command, run: Action): void {
  command
    .description('Starts a deployed workflow on AWS: a new execution of its state machine.')
    .argument('<workflow>', 'its name, with or without .dig')
    .option('-t, --session <time>', 'daily, hourly, schedule, last, now, "yyyy-MM-dd" or "yyyy-MM-dd HH:mm:ss"')
    .option('-p, --param <key=value>', 'a session parameter, as text; a.b=c makes objects; repeatable', collect<string>)
    .option('-P, --params-file <file>', 'session parameters from a YAML or JSON file; repeatable', collect<string>)
    .option('-f, --follow', 'show tasks and output until it ends; the exit code is then that of `trowel run`')
    .option('--json', 'what was started, or with --follow its events (docs/events.md), as JSON on standard output');
  connectionOptions(projectOption(command))
    .addHelpText(
      'after',
      examples(
        ['trowel start main --follow', ''],
        ['trowel start main --session 2030-01-31 -p region=eu', ''],
        ['trowel start main --profile work --region eu-west-1', ''],
      ),
    )
    .action((workflow: string, flags: StartFlags) =>
      run(async (terminal) => {
        const { startWorkflow } = await import('./start-workflow.ts');
        return startWorkflow(terminal, workflow, flags);
      }),
    );
}
