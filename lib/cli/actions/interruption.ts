import { setTimeout as sleep } from 'node:timers/promises';
import type { StartedRun } from '../../local/start/start-run.ts';
import { EXIT } from '../exit-codes.ts';
import type { RunReader } from '../render/run.ts';

export interface Interruption {
  /** Aborted by the first signal. */
  readonly signal: AbortSignal;
  /** From here on there is a run to stop. */
  show(reader: RunReader, run: StartedRun): void;
  end(): void;
}

/** Milliseconds that a second Ctrl-C leaves for killing the tasks. */
const LAST_MOMENT_MS = 200;

/**
 * The first signal stops the run in order, the second at once. Whatever happens, the terminal is given back.
 * @param debugging Ctrl-C is the debugger's, which has the terminal
 */
export function onInterrupt(debugging: boolean): Interruption {
  const stop = new AbortController();
  let reader: RunReader | undefined;
  let run: StartedRun | undefined;
  const giveBack = () => reader?.abandon();
  const interrupt = (signal: NodeJS.Signals) => {
    if (debugging && signal === 'SIGINT') return;
    const first = !stop.signal.aborted;
    stop.abort();
    // An environment is being made; nothing runs yet.
    if (run === undefined) process.exit(EXIT.interrupted);
    if (first) {
      run.notice('Stopping the tasks; Ctrl-C again ends them at once');
      return;
    }
    giveBack();
    run.kill();
    void Promise.race([run.done, sleep(LAST_MOMENT_MS)]).then(() => process.exit(EXIT.interrupted));
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.on(signal, interrupt);
  process.on('exit', giveBack);
  return {
    signal: stop.signal,
    show(shownReader, shownRun) {
      [reader, run] = [shownReader, shownRun];
    },
    end() {
      for (const signal of signals) process.off(signal, interrupt);
      process.off('exit', giveBack);
      giveBack();
    },
  };
}
