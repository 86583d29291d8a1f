/**
 * Each message is sent once, and none is lost in silence. The sender takes a mark first, and notes on it each channel that has the message.
 * If a channel fails, this throws, so that the caller is tried again, for the missing channels only; what fails to the end is in the
 * dead-letter queue.
 */
import { taskFailed } from '../../contract/errors.ts';
import type { Report } from './report.ts';

/** The right to send a message. */
export interface Claim {
  readonly delivered: ReadonlySet<string>;
  /** Notes a channel that has the message. */
  done(channel: string): Promise<void>;
  /** Lets another sender take over the channels that are missing. */
  release(): Promise<void>;
}

/** `attempt` is its folder below `attempts/` (`attemptPath`). */
export interface Marks {
  /** Undefined if another sender has the right, or has sent the message. */
  claim(attempt: string, key: string): Promise<Claim | undefined>;
  /** Whether a sender has the mark already. */
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
  // An error of the release must not hide the reason why the message was not delivered.
  await claim.release().catch((error: Error) => faults.push(error));
  const [first] = faults;
  if (faults.length === 1 && first !== undefined) throw first;
  throw taskFailed(faults.map(({ message }) => message).join('; '), faults);
}
