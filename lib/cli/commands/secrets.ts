import type { Command } from 'commander';
import type { SecretsFlags } from '../actions/secret-items.ts';
import { connectionOptions, projectOption } from './aws-options.ts';
import { type Action, examples } from './command.ts';

export function define(command: Command, run: Action): void {
  command
    .description('Sets, lists and deletes the secrets that ${secret:key} names. Values are never shown.')
    .option('--local', 'secrets of runs here (only your user can read them)')
    .option('--aws', 'secrets of the deployed project (AWS Secrets Manager)')
    .option('--set <item...>', 'key=value; key=@file; key=- (standard input); key (asks for it); @file.yml (many)')
    .option('--delete <key...>', 'delete these secrets')
    .option('--list', 'list the names of all secrets (the default)');
  connectionOptions(projectOption(command))
    .addHelpText(
      'after',
      examples(
        ['trowel secrets --local --set slack.url', 'ask for the value'],
        ['trowel secrets --local --set key=@key.pem', 'take the text of a file'],
        ['trowel secrets --local --list', ''],
        ['trowel secrets --local --delete slack.url', ''],
        ['trowel secrets --aws --set slack.url', 'for deployed workflows'],
      ),
    )
    .action((flags: SecretsFlags) =>
      run(async (terminal) => {
        const { manageSecrets } = await import('../actions/secrets.ts');
        return manageSecrets(terminal, flags);
      }),
    );
}
