import { taskLogGroup } from '../compiler/deployed-names.ts';
import { ExecutionEvents } from '../deployed/execution-events.ts';
import { follow } from '../deployed/follow.ts';
import { recordedEvents } from '../deployed/recorded-events.ts';
import { connectionOf, withAws } from './aws-options.ts';
import { EXIT, usageError } from './exit-codes.ts';
import type { LogFlags } from './log.ts';
import { chosenExecution, openDeployed } from './open-deployed.ts';
import { matchesTask } from './show-log.ts';
import { readRun } from './show-run.ts';
import type { Terminal } from './terminal.ts';

/** `trowel log --aws`: the events of an execution, shown as those of an attempt here. */
export function showExecutionLog(
  terminal: Terminal,
  reference: string | undefined,
  task: string | undefined,
  flags: LogFlags,
): Promise<number> {
  return withAws(async () => {
    const [name, pattern] = reference?.startsWith('+') ? [undefined, reference] : [reference, task];
    const opened = await openDeployed(terminal, flags);
    const { arn, status, name: shown } = await chosenExecution(opened, name);
    const { connectLogs } = await import('../deployed/logs-client.ts');
    const logs = connectLogs(connectionOf(flags));
    const group = taskLogGroup(opened.deployed.name);
    const events = new ExecutionEvents(opened.states, arn);
    const running = flags.follow && status === 'RUNNING';
    const reader = readRun('plain', terminal, { showPath: (path) => path });
    let matched = false;
    for await (const event of running ? follow(events, { logs, group }) : recordedEvents(events, logs, group)) {
      if ('task' in event && pattern !== undefined) {
        if (!matchesTask(event.task, pattern)) continue;
        matched = true;
      }
      await reader.handle(event);
      if (terminal.stdout.closed) return EXIT.ok;
    }
    if (pattern !== undefined && !matched) throw usageError(`no task of ${shown} is named ${pattern}`);
    await reader.finish();
    return EXIT.ok;
  });
}
