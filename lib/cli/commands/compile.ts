import type { Command } from 'commander';
import type { CompileFlags } from '../actions/compile.ts';
import { type Action, examples } from './command.ts';

export function define(command: Command, run: Action): void {
  command
    .description('Prints the state machine (Amazon States Language) that a workflow becomes.')
    .argument('[workflow]', 'a .dig file, with or without .dig')
    .option('--project <dir>', 'folder of the project (default: the one with trowel.yml or the workflow)')
    .option('--nested', 'print all machines as {name: machine}, if the workflow was split because of limits')
    .addHelpText('after', examples(['trowel compile main.dig', ''], ['trowel compile main.dig > main.asl.json', '']))
    .action((workflow: string | undefined, flags: CompileFlags) =>
      run(async (terminal) => {
        const { printCompiled } = await import('../actions/compile.ts');
        return printCompiled(terminal, workflow, flags);
      }),
    );
}
