import type { Command } from 'commander';
import type { AslFlags } from '../actions/asl.ts';
import { type Action, collect, examples } from './command.ts';

export function define(command: Command, run: Action): void {
  command.description('Works with any state machine in the Amazon States Language (JSONata).');
  command.addHelpText('after', examples(['trowel asl run machine.json', '']));
  command
    .command('run')
    .summary('run a state machine here')
    .description(
      'Runs a state machine here and prints {status, output, error, cause}. Mock files answer its tasks: an array with one item per ' +
        'call, {"Return": …} or {"Throw": {"Error": …, "Cause": …}}; the last item repeats.',
    )
    .argument('<definition>', 'a JSON file')
    .option('-i, --input <json>', 'input as JSON, or @file', '{}')
    .option('-m, --mock <state=file>', 'file with the answers of a Task state; repeatable', collect<string>)
    .option('--skip-waits', 'let Wait states and pauses between retries take no time')
    .option('--events', 'print the history before the result, one event per line')
    .addHelpText(
      'after',
      examples(
        ['trowel asl run machine.json --input \'{"n": 3}\'', ''],
        ['trowel asl run machine.json --input @in.json --mock Fetch=fetch.json', ''],
      ),
    )
    .action((definition: string, flags: AslFlags) =>
      run(async (terminal) => {
        const { runMachine } = await import('../actions/asl.ts');
        return runMachine(terminal, definition, flags);
      }),
    );
}
