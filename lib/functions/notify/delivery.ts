/**
 * Once and never in silence: who tells something takes a mark first, and notes on it each channel that has the message. What could not
 * be delivered is thrown, so that the caller is tried again, and in the end lies in the dead-letter queue; then only the missing channels
 * are tried.
 */
import { taskFailed } from '../../contract/errors.ts';
import type { Report } from './report.ts';

/** The right to tell something. */
export interface Claim {
  readonly delivered: ReadonlySet<string>;
  /** Notes a channel that has the message. */
  done(channel: string): Promise<void>;
  /** Lets anybody take over what is missing. */
  release(): Promise<void>;
}

/** `attempt` is its folder below `attempts/` (`attemptPath`). */
export interface Marks {
  /** Undefined: somebody else tells it, or has told it. */
  claim(attempt: string, key: string): Promise<Claim | undefined>;
  /** Whether somebody has told it. */
  taken(attempt: string, key: string): Promise<boolean>;
}

export interface Channel {
  readonly name: string;
  send(report: Report): Promise<void>;
}

export async function deliver(report: Report, claim: Claim, channels: readonly Channel[]): Promise<void> {
  const faults: Error[] = [];
  for (const channel of channels) {
    if (claim.delivered.has(channel.name)) continue;
    try {
      await channel.send(report);
      await claim.done(channel.name);
    } catch (error) {
      faults.push(error as Error);
    }
  }
  if (faults.length === 0) return;
  // That nobody may take it over for a while hides not why it is not delivered.
  await claim.release().catch((error: Error) => faults.push(error));
  const [first] = faults;
  if (faults.length === 1 && first !== undefined) throw first;
  throw taskFailed(faults.map(({ message }) => message).join('; '), faults);
}
