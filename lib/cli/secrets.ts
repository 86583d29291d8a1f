import type { Command } from 'commander';
import { type AwsFlags, connectionOptions, projectOption } from './aws-options.ts';
import { type Action, examples } from './command.ts';

export interface SecretsFlags extends AwsFlags {
  readonly aws?: true;
  readonly local?: true;
  readonly set?: readonly string[];
  readonly delete?: readonly string[];
  readonly list?: true;
}

export function define(command: Command, run: Action): void {
  command
    .description('Sets, lists and deletes the secrets that ${secret:key} names. Values are never shown.')
    .option('--local', 'those of runs here (kept for your user alone, outside of the project)')
    .option('--aws', 'those of the deployed project (AWS Secrets Manager)')
    .option('--set <item...>', 'key=value; key=@file; key=- (standard input); key (asks for it); @file.yml (many)')
    .option('--delete <key...>', 'forget these')
    .option('--list', 'names of all keys (also without any option)');
  connectionOptions(projectOption(command))
    .addHelpText(
      'after',
      examples(
        ['trowel secrets --local --set slack.url', 'asks for the value'],
        ['trowel secrets --local --set key=@key.pem', 'the text of a file'],
        ['trowel secrets --local --list', ''],
        ['trowel secrets --local --delete slack.url', ''],
        ['trowel secrets --aws --set slack.url', 'for deployed workflows'],
      ),
    )
    .action((flags: SecretsFlags) =>
      run(async (terminal) => {
        const { manageSecrets } = await import('./manage-secrets.ts');
        return manageSecrets(terminal, flags);
      }),
    );
}
