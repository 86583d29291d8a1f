import {
  DescribeExecutionCommand,
  type DescribeExecutionOutput,
  DescribeStateMachineForExecutionCommand,
  GetExecutionHistoryCommand,
  ListExecutionsCommand,
  ListStateMachinesCommand,
  ListTagsForResourceCommand,
  SFNClient,
  StartExecutionCommand,
  StopExecutionCommand,
} from '@aws-sdk/client-sfn';
import { present } from '../asl/present.ts';
import { historyEvent } from '../events/listed-event.ts';
import { AwsFault, asking, isAbsent } from './aws-fault.ts';
import { type Connection, clientOptions } from './connection.ts';
import type {
  ExecutionDescription,
  ExecutionEntry,
  ExecutionStatus,
  HistoryPage,
  MachineEntry,
  States,
} from './states.ts';

export function connectStates(connection: Connection): States {
  return new StatesClient(new SFNClient(clientOptions(connection)));
}

class StatesClient implements States {
  readonly #client: SFNClient;

  constructor(client: SFNClient) {
    this.#client = client;
  }

  async machines(): Promise<readonly MachineEntry[]> {
    const found: MachineEntry[] = [];
    let nextToken: string | undefined;
    do {
      const page = await asking('states:ListStateMachines', () =>
        this.#client.send(new ListStateMachinesCommand({ maxResults: 1000, nextToken })),
      );
      for (const { stateMachineArn: arn = '', name = '' } of page.stateMachines ?? []) found.push({ arn, name });
      nextToken = page.nextToken;
    } while (nextToken !== undefined);
    return found;
  }

  async tags(resourceArn: string): Promise<{ readonly [key: string]: string }> {
    const { tags = [] } = await asking('states:ListTagsForResource', () =>
      this.#client.send(new ListTagsForResourceCommand({ resourceArn })),
    );
    return Object.fromEntries(tags.map(({ key = '', value = '' }) => [key, value]));
  }

  async executions(stateMachineArn: string, most: number, status?: ExecutionStatus): Promise<ExecutionEntry[]> {
    const found: ExecutionEntry[] = [];
    let nextToken: string | undefined;
    do {
      const maxResults = Math.min(1000, most - found.length);
      const request = {
        stateMachineArn,
        maxResults,
        nextToken,
        ...present({ statusFilter: status }),
      };
      const page = await asking('states:ListExecutions', () => this.#client.send(new ListExecutionsCommand(request)));
      found.push(...(page.executions ?? []).map(entryOf));
      nextToken = page.nextToken;
    } while (nextToken !== undefined && found.length < most);
    return found;
  }

  async execution(executionArn: string): Promise<ExecutionDescription | undefined> {
    try {
      const found = await asking('states:DescribeExecution', () =>
        this.#client.send(new DescribeExecutionCommand({ executionArn })),
      );
      return {
        ...entryOf(found),
        input: found.input ?? '{}',
        ...present({ error: found.error, cause: found.cause }),
      };
    } catch (error) {
      if (isAbsent(error)) return undefined;
      throw error;
    }
  }

  async definition(executionArn: string): Promise<string> {
    const { definition = '{}' } = await asking('states:DescribeStateMachineForExecution', () =>
      this.#client.send(new DescribeStateMachineForExecutionCommand({ executionArn })),
    );
    return definition;
  }

  async history(
    executionArn: string,
    {
      reverse = false,
      most = 1000,
      next,
    }: { readonly reverse?: boolean; readonly most?: number; readonly next?: string },
  ): Promise<HistoryPage> {
    const page = await asking('states:GetExecutionHistory', () =>
      this.#client.send(
        new GetExecutionHistoryCommand({
          executionArn,
          reverseOrder: reverse,
          maxResults: Math.min(1000, most),
          includeExecutionData: true,
          nextToken: next,
        }),
      ),
    );
    const events = (page.events ?? []).map(historyEvent);
    return page.nextToken === undefined ? { events } : { events, next: page.nextToken };
  }

  async start(stateMachineArn: string, name: string, input: string): Promise<string> {
    const { executionArn = '' } = await asking('states:StartExecution', () =>
      this.#client.send(new StartExecutionCommand({ stateMachineArn, name, input })),
    );
    return executionArn;
  }

  async stop(executionArn: string, cause: string): Promise<void> {
    await asking('states:StopExecution', () =>
      this.#client.send(new StopExecutionCommand({ executionArn, error: 'Trowel.Killed', cause })),
    );
  }
}

function entryOf(found: Partial<DescribeExecutionOutput>): ExecutionEntry {
  const { executionArn, stateMachineArn, name, status, startDate, stopDate } = found;
  if (executionArn === undefined || stateMachineArn === undefined || status === undefined) {
    throw new AwsFault('refused', 'states:DescribeExecution', 'Step Functions gave an execution without its ARN', []);
  }
  return {
    arn: executionArn,
    machineArn: stateMachineArn,
    name: name ?? executionArn.slice(executionArn.lastIndexOf(':') + 1),
    status,
    started: startDate?.getTime() ?? 0,
    ...present({ stopped: stopDate?.getTime() }),
  };
}
