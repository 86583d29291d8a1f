import { executionName } from '../../deployed/arns.ts';
import type { OpenedProject } from '../../deployed/open-project.ts';
import { watchExecution } from '../../deployed/watch-execution.ts';
import { RequestFault } from '../../language/request-fault.ts';
import { EXIT } from '../exit-codes.ts';
import { chooseFormat, readRun } from '../render/run.ts';
import type { Terminal } from '../terminal.ts';
import type { StartingFlags } from './aws-access.ts';

/** Shows an execution as `trowel run` shows a run, until it ends; exit codes are the same. Ctrl-C ends only the watching. */
export async function followExecution(
  terminal: Terminal,
  opened: OpenedProject,
  arn: string,
  flags: StartingFlags,
): Promise<number> {
  const { command } = opened;
  const name = executionName(arn);
  const reader = readRun(chooseFormat(terminal, flags.json === true), terminal, {
    resume: command('retry', name, '--resume'),
    showPath: (path) => path,
  });
  const watch = command('log', name, '--aws', '--follow');
  const stop = new AbortController();
  const interrupt = () => (stop.signal.aborted ? process.exit(EXIT.interrupted) : stop.abort());
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.on(signal, interrupt);
  const giveBack = () => reader.abandon();
  process.on('exit', giveBack);
  try {
    for await (const event of watchExecution(opened, arn, { signal: stop.signal })) {
      await reader.handle(event);
      if (terminal.stdout.closed) return EXIT.ok;
    }
  } catch (error) {
    if (!(error instanceof RequestFault)) throw error;
    const { kind, message, notes } = error;
    throw new RequestFault(kind, message, [...notes, `The execution goes on. To watch it: ${watch}`], error);
  } finally {
    for (const signal of signals) process.off(signal, interrupt);
    process.off('exit', giveBack);
    reader.abandon();
  }
  const { ended } = reader.view;
  if (ended === undefined) {
    await terminal.stderr.write(
      `The execution goes on. To watch it: ${watch}\n                       To end it: ${command('kill', name)}\n`,
    );
    return EXIT.interrupted;
  }
  await reader.finish();
  return ended.status === 'succeeded' ? EXIT.ok : EXIT.failed;
}
