/**
 * The command line: commands/ has a file for each command's words and options, and only that of the command that is called is loaded; actions/
 * has what it does; render/ reads the stream of RunEvents and nothing else of a run.
 */
import { Command, CommanderError } from 'commander';
import { clean } from '../events/text.ts';
import { RequestFault } from '../language/request-fault.ts';
import type { Action } from './commands/command.ts';
import { COMMANDS } from './commands/index.ts';
import { EXIT, EXIT_CODES } from './exit-codes.ts';
import { processTerminal, type Terminal } from './terminal.ts';

/** Runs the command line and ends the process. */
export async function main(args: readonly string[], version: string): Promise<void> {
  ignoreClosedPipes();
  // Whatever nobody awaited; an `exit` handler of a run gives the terminal back.
  process.on('uncaughtException', (error) => process.exit(explain(error)));
  const exitCode = await runCommandLine(args, version);
  await flushed();
  // A stray timer or socket must not keep the prompt from coming back.
  process.exit(exitCode);
}

/** Like `main`, and returns the exit code. Tests give a terminal of their own. */
export async function runCommandLine(args: readonly string[], version: string, terminal?: Terminal): Promise<number> {
  let exitCode: number = EXIT.ok;
  const action: Action = async (act) => {
    exitCode = await act(terminal ?? processTerminal(args.includes('--no-color')));
  };
  try {
    const program = await buildProgram(version, action, args);
    await program.parseAsync([...args], { from: 'user' });
    return exitCode;
  } catch (error) {
    return explain(error, (text) =>
      terminal === undefined ? process.stderr.write(text) : terminal.stderr.write(text),
    );
  }
}

/** The whole tree of commands; with `args`, only the one they name is filled in. */
export async function buildProgram(version: string, action: Action, args?: readonly string[]): Promise<Command> {
  const program = new Command('trowel')
    .description('Runs digdag-style workflows of Python tasks, here and on AWS.')
    .option('--no-color', 'no colours (as NO_COLOR=1)')
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'show help')
    .helpCommand('help [command]', 'show help of a command')
    .showSuggestionAfterError()
    .showHelpAfterError('(add --help for what is possible)')
    .configureHelp({ showGlobalOptions: false })
    .addHelpText('after', `${exitCodesHelp()}\nExample:\n  trowel run main.dig\n`)
    .exitOverride();
  const named = new Set((args ?? []).filter((arg) => !arg.startsWith('-')).slice(0, 2));
  for (const entry of COMMANDS) {
    const command = program.command(entry.name).summary(entry.summary).description(entry.summary);
    if (entry.alias !== undefined) command.alias(entry.alias);
    command.allowExcessArguments(false);
    if (args === undefined || named.has(entry.name) || (entry.alias !== undefined && named.has(entry.alias))) {
      (await entry.load()).define(command, action);
      for (const each of [command, ...command.commands]) each.option('--no-color', 'no colours (as NO_COLOR=1)');
    }
  }
  return program;
}

function exitCodesHelp(): string {
  return `\nExit codes:\n${EXIT_CODES.map(([code, meaning]) => `  ${String(code).padEnd(5)}${meaning}`).join('\n')}\n`;
}

/** Every end but success comes through here: a text for people, and the code. */
function explain(error: unknown, say: (text: string) => unknown = (text) => process.stderr.write(text)): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  if (error instanceof RequestFault) {
    const notes = error.notes.map((note) => `  ${note}\n`).join('');
    say(`error: ${clean(error.message)}\n${clean(notes)}`);
    return EXIT[error.kind];
  }
  if (isSystemError(error)) {
    say(`error: ${clean(error.message)}\n`);
    return EXIT.environment;
  }
  const message = clean(error instanceof Error ? error.message : String(error)).split('\n')[0];
  say(`trowel: internal error: ${message} (a bug: please report it; TROWEL_DEBUG=1 shows more)\n`);
  if ((process.env.TROWEL_DEBUG ?? '') !== '' && error instanceof Error) say(`${error.stack}\n`);
  return EXIT.failed;
}

/** What the machine refuses: no right, no space, a file where a folder should be. The message has the reason and mostly the path. */
function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error && 'code' in error;
}

/** `trowel log | head`: the reader has seen enough. What is under way continues, and what would be written is dropped. */
function ignoreClosedPipes(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE' && error.code !== 'EIO' && error.code !== 'ERR_STREAM_DESTROYED') throw error;
    });
  }
}

async function flushed(): Promise<void> {
  await Promise.all(
    [process.stdout, process.stderr].map(
      (stream) =>
        new Promise<void>((resolve) => {
          if (stream.destroyed || stream.writableLength === 0) resolve();
          else stream.write('', () => resolve());
        }),
    ),
  );
}
