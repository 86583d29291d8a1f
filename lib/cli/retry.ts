import type { Command } from 'commander';
import { type AwsFlags, connectionOptions, projectOption } from './aws-options.ts';
import { type Action, collect, examples } from './command.ts';

export interface RetryFlags extends AwsFlags {
  readonly resume?: true;
  readonly param?: readonly string[];
  readonly paramsFile?: readonly string[];
  readonly follow?: true;
  readonly json?: true;
}

export function define(command: Command, run: Action): void {
  command
    .description('Runs the session of an execution on AWS again, with its parameters, on what is deployed now.')
    .argument(
      '[execution]',
      'its name or ARN, or a workflow: its latest, with --resume its latest that did not succeed (default: of all workflows)',
    )
    .option('--resume', 'do not repeat what succeeded in it, and in those that it continued')
    .option('-p, --param <key=value>', 'change a session parameter; repeatable', collect<string>)
    .option('-P, --params-file <file>', 'change session parameters by a YAML or JSON file; repeatable', collect<string>)
    .option('-f, --follow', 'show tasks and output until it ends; the exit code is then that of `trowel run`')
    .option('--json', 'what was started, or with --follow its events (docs/events.md), as JSON on standard output');
  connectionOptions(projectOption(command))
    .addHelpText(
      'after',
      examples(
        ['trowel retry main --resume --follow', 'after a failure, from where it failed'],
        ['trowel retry main-20301121T070000Z-3f9c2a', 'everything once more'],
      ),
    )
    .action((execution: string | undefined, flags: RetryFlags) =>
      run(async (terminal) => {
        const { retryExecution } = await import('./retry-execution.ts');
        return retryExecution(terminal, execution, flags);
      }),
    );
}
