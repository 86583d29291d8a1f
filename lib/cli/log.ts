import type { Command } from 'commander';
import { type Action, examples } from './command.ts';

export interface LogFlags {
  readonly project?: string;
  readonly follow?: true;
  readonly save: string;
}

export function define(command: Command, run: Action): void {
  command
    .description('Shows what the tasks of an attempt printed, in order.')
    .argument('[attempt]', 'its number (trowel sessions lists them); default: the latest')
    .argument('[task]', 'only tasks whose full name ends so, or lies below: +load')
    .option('-f, --follow', 'wait for more until the attempt ends')
    .option('--project <dir>', 'folder of the project (default: the one around this folder)')
    .option('-o, --save <dir>', 'where history is kept', '.trowel')
    .addHelpText('after', examples(['trowel log', ''], ['trowel log 7 +load', ''], ['trowel log -f', '']))
    .action((attempt: string | undefined, task: string | undefined, flags: LogFlags) =>
      run(async (terminal) => {
        const { showLog } = await import('./show-log.ts');
        return showLog(terminal, attempt, task, flags);
      }),
    );
}
