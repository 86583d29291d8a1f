import type { Command } from 'commander';
import { type Action, examples } from './command.ts';

export interface SessionsFlags {
  readonly project?: string;
  readonly save: string;
  readonly json?: true;
}

export function define(command: Command, run: Action): void {
  command
    .description('Lists the attempts made here, the latest last.')
    .argument('[workflow]', 'only those of this workflow')
    .option('--project <dir>', 'folder of the project (default: the one around this folder)')
    .option('-o, --save <dir>', 'where history is kept', '.trowel')
    .option('--json', 'as JSON, an attempt a line')
    .addHelpText('after', examples(['trowel sessions', ''], ['trowel sessions main', '']))
    .action((workflow: string | undefined, flags: SessionsFlags) =>
      run(async (terminal) => {
        const { listSessions } = await import('./list-sessions.ts');
        return listSessions(terminal, workflow, flags);
      }),
    );
}
