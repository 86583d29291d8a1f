import type { Fault } from '../../asl/fault.ts';
import { lintMachine } from '../../asl/lint.ts';
import type { Json, StateMachine } from '../../asl/types.ts';
import { parseMachine } from '../../asl/validate.ts';
import { realClock, VirtualClock } from '../../engine/clock.ts';
import { execute } from '../../engine/execution.ts';
import { type MockResults, mockInvoke, readMockResults } from '../../engine/mock.ts';
import { TaskTokens } from '../../engine/task-tokens.ts';
import { RequestFault, usageFault } from '../../language/request-fault.ts';
import { EXIT } from '../exit-codes.ts';
import type { Terminal } from '../terminal.ts';
import { readText } from './read-text.ts';

export interface AslFlags {
  readonly input: string;
  readonly mock?: readonly string[];
  readonly skipWaits?: true;
  readonly events?: true;
}

/** Prints `{status, output, error, cause}`; of the last three those there are. */
export async function runMachine(terminal: Terminal, definition: string, flags: AslFlags): Promise<number> {
  const machine = await readMachine(terminal, definition);
  const input = flags.input.startsWith('@')
    ? parseJson(await readText(terminal.cwd, flags.input.slice(1)), flags.input.slice(1))
    : parseJson(flags.input, '--input');
  const mocks = new Map<string, MockResults>();
  for (const mock of flags.mock ?? []) mocks.set(...(await readMock(terminal.cwd, machine, mock)));

  const stop = new AbortController();
  const interrupt = () => {
    if (stop.signal.aborted) process.exit(EXIT.interrupted);
    stop.abort();
  };
  process.on('SIGINT', interrupt).on('SIGTERM', interrupt);
  const tokens = new TaskTokens();
  const execution = execute(machine, {
    input,
    invoke: mockInvoke(mocks, tokens),
    tokens,
    clock: flags.skipWaits ? new VirtualClock(Date.now()) : realClock,
    signal: stop.signal,
    historyLimit: true,
  });
  if (flags.events) {
    for await (const event of execution) {
      // An annotation of the engine's, not an event of the service.
      if (event.type !== 'RetryScheduled') await terminal.stdout.write(`${JSON.stringify(event)}\n`);
    }
  }
  const outcome = await execution.outcome;
  process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
  await terminal.stdout.write(`${JSON.stringify(outcome, null, flags.events ? 0 : 2)}\n`);
  if (outcome.status === 'ABORTED') return EXIT.interrupted;
  return outcome.status === 'SUCCEEDED' ? EXIT.ok : EXIT.failed;
}

/** A machine that cannot run is an error; what only the service would refuse, a warning. */
async function readMachine({ cwd, stderr }: Terminal, path: string): Promise<StateMachine> {
  const parsed = parseMachine(await readText(cwd, path));
  const told = ({ path: place, message }: Fault) => (place === '' ? message : `${place}: ${message}`);
  if ('faults' in parsed) {
    throw new RequestFault('failed', `${path} is not a state machine that can run here`, parsed.faults.map(told));
  }
  for (const fault of lintMachine(parsed.machine)) {
    await stderr.write(`${stderr.colors.yellow('warning')} ${fault.rule}: ${told(fault)}\n`);
  }
  return parsed.machine;
}

async function readMock(cwd: string, machine: StateMachine, item: string): Promise<[string, MockResults]> {
  const at = item.lastIndexOf('=');
  if (at <= 0) throw usageFault(`--mock ${item}: expected STATE=FILE`);
  const [state, file] = [item.slice(0, at), item.slice(at + 1)];
  if (!JSON.stringify(machine).includes(JSON.stringify(state))) {
    throw usageFault(`--mock ${state}: the machine has no such state`);
  }
  const results = readMockResults(parseJson(await readText(cwd, file), file));
  if (typeof results === 'string') throw usageFault(`${file}: ${results}`);
  return [state, results];
}

function parseJson(text: string, where: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch (error) {
    throw usageFault(`${where} is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
}
