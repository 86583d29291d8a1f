import type { Command } from 'commander';
import { type Action, examples } from './command.ts';

export function define(command: Command, run: Action): void {
  command
    .description('Writes a new project: workflows, Python tasks, parameters, a test. Never overwrites a file.')
    .argument('[dir]', 'folder of the project; made if it is not there', '.')
    .addHelpText('after', examples(['trowel init my_project', ''], ['cd my_project && trowel run main.dig', '']))
    .action((dir: string) =>
      run(async (terminal) => {
        const { init } = await import('../actions/init.ts');
        return init(terminal, dir);
      }),
    );
}
