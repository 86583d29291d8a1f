import { taskLogGroup } from '../../contract/deployed-names.ts';
import { executionName } from '../../deployed/arns.ts';
import { ExecutionEvents } from '../../deployed/execution-events.ts';
import { follow } from '../../deployed/follow.ts';
import { connectionOf, isFault, refusal, type StartingFlags } from '../aws-options.ts';
import { EXIT } from '../exit-codes.ts';
import type { Opened } from '../open-deployed.ts';
import { chooseFormat, readRun } from '../render/run.ts';
import type { Terminal } from '../terminal.ts';

/** Shows an execution as `trowel run` shows a run, until it ends; exit codes are the same. Ctrl-C ends only the watching. */
export async function followExecution(
  terminal: Terminal,
  { states, deployed, command }: Opened,
  arn: string,
  flags: StartingFlags,
): Promise<number> {
  const name = executionName(arn);
  const { connectLogs } = await import('../../deployed/logs-client.ts');
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
    const events = new ExecutionEvents(states, arn);
    const logs = connectLogs(connectionOf(flags));
    for await (const event of follow(events, { logs, group: taskLogGroup(deployed.name), signal: stop.signal })) {
      await reader.handle(event);
      if (terminal.stdout.closed) return EXIT.ok;
    }
  } catch (error) {
    if (!isFault(error)) throw error;
    throw refusal(error, `The execution goes on. To watch it: ${watch}`);
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
