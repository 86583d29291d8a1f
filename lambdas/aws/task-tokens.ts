import { SendTaskFailureCommand, SendTaskSuccessCommand, SFNClient } from '@aws-sdk/client-sfn';
import type { ErrorName, Failure } from '../../lib/contract/errors.ts';
import { cut } from '../../lib/expression/mask.ts';

/** Characters of a failure's message; Step Functions keeps 32,768 of the whole cause, and JSON may write one as six. */
const LONGEST_MESSAGE = 5_000;

/** Answers to states that wait. One that waits no more (answered, timed out, stopped) is no error: events come late and twice. */
export class DeployedTokens {
  readonly #client: SFNClient;

  constructor(client = new SFNClient({})) {
    this.#client = client;
  }

  /** Resolves to whether somebody still waited. */
  async succeed(taskToken: string, output: object): Promise<boolean> {
    return waited(this.#client.send(new SendTaskSuccessCommand({ taskToken, output: JSON.stringify(output) })));
  }

  async fail(taskToken: string, error: ErrorName, failure: Failure): Promise<boolean> {
    const cause = JSON.stringify({ ...failure, message: cut(failure.message, LONGEST_MESSAGE) });
    return waited(this.#client.send(new SendTaskFailureCommand({ taskToken, error, cause })));
  }
}

async function waited(answer: Promise<unknown>): Promise<boolean> {
  try {
    await answer;
    return true;
  } catch (error) {
    // An execution that is gone for good makes its tokens invalid.
    if (['TaskTimedOut', 'TaskDoesNotExist', 'InvalidToken'].includes((error as Error).name)) return false;
    throw error;
  }
}
