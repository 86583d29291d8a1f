import { Argument, type Command } from 'commander';
import { type Action, examples } from './command.ts';

export function define(command: Command, run: Action): void {
  command
    .description('Prints the JSON Schema of .dig files or of trowel.yml. Editors use it to complete and check.')
    .addArgument(new Argument('[kind]', 'kind of file').choices(['dig', 'trowel']).default('dig'))
    .addHelpText(
      'after',
      examples(
        ['trowel schema dig > dig.schema.json', 'for the "yaml.schemas" setting of an editor'],
        ['trowel schema trowel', ''],
      ),
    )
    .action((kind: string) =>
      run(async (terminal) => {
        const { printSchema } = await import('../actions/schema.ts');
        return printSchema(terminal, kind);
      }),
    );
}
