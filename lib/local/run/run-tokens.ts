import type { Json } from '../../asl/types.ts';
import { TaskTokens } from '../../engine/task-tokens.ts';

/** Answers to the states of a run that wait for one. A state that has ended in the meantime needs none. */
export class RunTokens {
  /** For the engine. */
  readonly tokens = new TaskTokens();

  succeed(token: string, result: Json): void {
    answer(() => this.tokens.sendTaskSuccess(token, result));
  }

  beat(token: string): void {
    answer(() => this.tokens.sendTaskHeartbeat(token));
  }

  fail(token: string, error: string, cause: string): void {
    answer(() => this.tokens.sendTaskFailure(token, { error: error.slice(0, 256), cause }));
  }
}

function answer(send: () => void): void {
  try {
    send();
  } catch (error) {
    if ((error as Error).name === 'InvalidOutput') throw error;
  }
}
