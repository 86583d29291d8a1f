/**
 * Step Functions: lib/engine behind the service's own API. Machines come from the deployed template (or CreateStateMachine), with its
 * substitutions; limits are enforced. Tasks call other services over the proxy with the key of the machine's role. Not played: redrive,
 * versions and aliases, Express machines, log delivery, and the minutes after which the service gives up on a throttled call.
 */
import { randomUUID } from 'node:crypto';
import { GetObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { LIMITS } from '../../../lib/asl/limits.ts';
import type { Json, StateMachine } from '../../../lib/asl/types.ts';
import { parseMachine } from '../../../lib/asl/validate.ts';
import { realClock } from '../../../lib/engine/clock.ts';
import { execute } from '../../../lib/engine/execution.ts';
import { TaskTokenError } from '../../../lib/engine/task-tokens.ts';
import type { Clock, Outcome } from '../../../lib/engine/types.ts';
import { type ApiEvent, apiEvent } from './history-events.ts';
import { type Integrations, integrations } from './integrations.ts';
import type { Keys } from './keys.ts';
import { ACCOUNT, type Answer, inputOf, json, type Part, REGION, type ServiceCall, ServiceFault } from './service.ts';
import type { DeployedStack, Mapping } from './template.ts';
import { WatchedTokens } from './watched-tokens.ts';

export interface StepFunctionsOptions {
  readonly keys: Keys;
  readonly s3: S3Client;
  /** Of the proxy. */
  readonly url: () => string;
  /** Default: real time. */
  readonly clock?: Clock;
  /** `Step Functions Execution Status Change`, the whole event. */
  readonly emit?: (event: Mapping) => void;
}

export interface Machine {
  readonly arn: string;
  readonly name: string;
  readonly definition: string;
  readonly machine: StateMachine;
  readonly roleArn: string;
  readonly created: number;
  readonly revisionId: string;
  readonly more: Mapping;
}

export interface Run {
  readonly arn: string;
  readonly name: string;
  /** As it was when the execution began. */
  readonly machine: Machine;
  readonly input: string;
  readonly started: number;
  readonly events: ApiEvent[];
  readonly abort: AbortController;
  readonly ended: Promise<Outcome>;
  stopped?: number;
  outcome?: Outcome;
  stop?: { readonly error?: string; readonly cause?: string };
}

type Input = { readonly [key: string]: unknown };
type Action = (input: Input) => object | Promise<object>;

const DAY = 86_400_000;

export class StepFunctions implements Part {
  readonly #options: StepFunctionsOptions;
  readonly #integrations: Integrations;
  readonly #clock: Clock;
  readonly machines = new Map<string, Machine>();
  /** ARNs of machines, by stack. */
  readonly #stacks = new Map<string, ReadonlySet<string>>();
  /** By ARN, oldest first. */
  readonly executions = new Map<string, Run>();
  readonly tokens = new WatchedTokens();

  constructor(options: StepFunctionsOptions) {
    this.#options = options;
    this.#clock = options.clock ?? realClock;
    this.#integrations = integrations(options);
  }

  /** What the stack had before and has no more is deleted; executions under way end with what they began with. */
  async deployed(stack: DeployedStack): Promise<void> {
    const made = new Set<string>();
    for (const resource of stack.ofType('AWS::StepFunctions::StateMachine')) {
      const { StateMachineName, DefinitionS3Location, DefinitionSubstitutions, DefinitionString, RoleArn, ...more } =
        resource.properties;
      const { Bucket = '', Key = '' } = (DefinitionS3Location ?? {}) as Mapping;
      const text =
        DefinitionString === undefined
          ? await this.#read(String(Bucket), String(Key))
          : typeof DefinitionString === 'string'
            ? DefinitionString
            : JSON.stringify(DefinitionString);
      const definition = substituted(text, (DefinitionSubstitutions ?? {}) as Mapping);
      made.add(this.#put(String(StateMachineName ?? resource.physicalId), definition, String(RoleArn), more).arn);
    }
    for (const arn of this.#stacks.get(stack.name) ?? []) if (!made.has(arn)) this.machines.delete(arn);
    this.#stacks.set(stack.name, made);
  }

  readonly service = async (call: ServiceCall): Promise<Answer | undefined> => {
    if (call.service !== 'states') return undefined;
    const name = String(call.headers['x-amz-target']).replace(/^.*\./, '');
    const action = Object.hasOwn(this.#actions, name) ? this.#actions[name] : undefined;
    if (action === undefined)
      throw new ServiceFault('UnknownOperationException', `The small AWS does not know ${name}`);
    return json(await action(inputOf(call)));
  };

  stop(): void {
    for (const { abort } of this.executions.values()) abort.abort();
    this.#integrations.close();
  }

  /** Waits for an execution's end. */
  async ended(arn: string): Promise<Run> {
    const run = this.#execution(arn);
    await run.ended;
    return run;
  }

  readonly #actions: { readonly [name: string]: Action } = {
    CreateStateMachine: ({ name, definition, roleArn, ...more }) => {
      const { arn, created, revisionId } = this.#put(
        String(name),
        String(definition),
        String(roleArn),
        more as Mapping,
      );
      return { stateMachineArn: arn, creationDate: created / 1000, revisionId };
    },
    UpdateStateMachine: ({ stateMachineArn, definition, roleArn }) => {
      const old = this.#machine(stateMachineArn);
      const made = this.#put(old.name, String(definition ?? old.definition), String(roleArn ?? old.roleArn), old.more);
      return { updateDate: this.#clock.now() / 1000, revisionId: made.revisionId };
    },
    DeleteStateMachine: ({ stateMachineArn }) => {
      this.machines.delete(String(stateMachineArn));
      return {};
    },
    DescribeStateMachine: ({ stateMachineArn }) => describeMachine(this.#machine(stateMachineArn)),
    DescribeStateMachineForExecution: ({ executionArn }) => {
      const { machine } = this.#execution(executionArn);
      return { ...describeMachine(machine), updateDate: machine.created / 1000 };
    },
    ListStateMachines: (input) => {
      const all = [...this.machines.values()].map(({ arn, name, created }) => ({
        stateMachineArn: arn,
        name,
        type: 'STANDARD',
        creationDate: created / 1000,
      }));
      return page('stateMachines', all, input);
    },
    ListTagsForResource: ({ resourceArn }) => {
      const { Tags } = this.#machine(resourceArn).more;
      const tags = (Array.isArray(Tags) ? Tags : []) as Mapping[];
      return { tags: tags.map(({ Key, Value }) => ({ key: Key, value: Value })) };
    },
    StartExecution: (input) => this.#startExecution(input),
    StopExecution: async ({ executionArn, error, cause }) => {
      const run = this.#execution(executionArn);
      if (run.outcome === undefined) {
        run.stop = {
          ...(typeof error === 'string' && { error }),
          ...(typeof cause === 'string' && { cause }),
        };
        run.abort.abort();
        await run.ended;
      }
      return { stopDate: (run.stopped ?? this.#clock.now()) / 1000 };
    },
    DescribeExecution: ({ executionArn }) => describe(this.#execution(executionArn)),
    ListExecutions: ({ stateMachineArn, statusFilter, ...input }) => {
      const { arn } = this.#machine(stateMachineArn);
      const all = [...this.executions.values()]
        .filter(({ machine }) => machine.arn === arn)
        .map(summary)
        .filter(({ status }) => statusFilter === undefined || status === statusFilter)
        .reverse();
      return page('executions', all, input);
    },
    GetExecutionHistory: ({ executionArn, reverseOrder, includeExecutionData, ...input }) => {
      const { events } = this.#execution(executionArn);
      const shown = includeExecutionData === false ? events.map(withoutData) : events;
      return page('events', reverseOrder === true ? [...shown].reverse() : shown, input);
    },
    SendTaskSuccess: ({ taskToken, output }) =>
      this.#answer(() => this.tokens.sendTaskSuccess(String(taskToken), read(output))),
    SendTaskFailure: ({ taskToken, error, cause }) =>
      this.#answer(() =>
        this.tokens.sendTaskFailure(String(taskToken), {
          ...(typeof error === 'string' && { error }),
          ...(typeof cause === 'string' && { cause }),
        }),
      ),
    SendTaskHeartbeat: ({ taskToken }) => this.#answer(() => this.tokens.sendTaskHeartbeat(String(taskToken))),
  };

  #answer(act: () => void): object {
    try {
      act();
      return {};
    } catch (error) {
      if (error instanceof TaskTokenError) throw new ServiceFault(error.name, error.message);
      throw error;
    }
  }

  #startExecution({ stateMachineArn, name = randomUUID(), input = '{}' }: Input): object {
    const machine = this.#machine(stateMachineArn);
    const given = String(name);
    const text = String(input);
    if (!isName(given)) throw new ServiceFault('InvalidName', `Invalid Name: '${given}'`);
    let value: Json;
    try {
      value = JSON.parse(text);
    } catch {
      throw new ServiceFault('InvalidExecutionInput', "Invalid State Machine Execution Input: 'not JSON'");
    }
    if (Buffer.byteLength(text) > LIMITS.payloadBytes) {
      throw new ServiceFault(
        'InvalidExecutionInput',
        `Invalid State Machine Execution Input: longer than ${LIMITS.payloadBytes}`,
      );
    }
    const arn = `${machine.arn.replace(':stateMachine:', ':execution:')}:${given}`;
    const known = this.executions.get(arn);
    if (known !== undefined && known.outcome === undefined && known.input === text) return started(known);
    if (known !== undefined && this.#clock.now() - (known.stopped ?? Number.POSITIVE_INFINITY) < 90 * DAY) {
      throw new ServiceFault('ExecutionAlreadyExists', `Execution Already Exists: '${arn}'`);
    }
    return started(this.#run(machine, arn, given, text, value));
  }

  #run(machine: Machine, arn: string, name: string, text: string, input: Json): Run {
    const abort = new AbortController();
    const role = machine.roleArn.slice(machine.roleArn.lastIndexOf('/') + 1);
    const execution = execute(machine.machine, {
      input,
      name,
      arn,
      stateMachineArn: machine.arn,
      roleArn: machine.roleArn,
      invoke: (call) => this.#integrations.invoke(call, role),
      tokens: this.tokens,
      clock: this.#clock,
      signal: abort.signal,
      historyLimit: true,
    });
    const events: ApiEvent[] = [];
    const follow = async (): Promise<Outcome> => {
      for await (const event of execution) {
        const said = apiEvent(event);
        if (said !== undefined) events.push(said);
      }
      const outcome = await execution.outcome;
      run.outcome = outcome.status === 'ABORTED' ? { ...outcome, ...run.stop } : outcome;
      run.stopped = this.#clock.now();
      this.#tell(run);
      return run.outcome;
    };
    const run: Run = {
      ...{ arn, name, machine, input: text, started: this.#clock.now(), events, abort },
      ended: follow(),
    };
    this.executions.set(arn, run);
    this.#tell(run);
    return run;
  }

  #tell(run: Run): void {
    const { startDate, stopDate, ...description } = describe(run) as { [key: string]: Json };
    this.#options.emit?.({
      version: '0',
      id: randomUUID(),
      'detail-type': 'Step Functions Execution Status Change',
      source: 'aws.states',
      account: ACCOUNT,
      time: new Date(this.#clock.now()).toISOString().replace(/\.\d+Z/, 'Z'),
      region: REGION,
      resources: [run.arn],
      detail: {
        error: null,
        cause: null,
        output: null,
        ...description,
        // Milliseconds here, seconds in the API.
        startDate: run.started,
        stopDate: run.stopped ?? null,
      },
    });
  }

  async #read(Bucket: string, Key: string): Promise<string> {
    const { Body } = await this.#options.s3.send(new GetObjectCommand({ Bucket, Key }));
    return (await Body?.transformToString()) ?? '';
  }

  #put(name: string, definition: string, roleArn: string, more: Mapping): Machine {
    if (!isName(name)) throw new ServiceFault('InvalidName', `Invalid Name: '${name}'`);
    if (Buffer.byteLength(definition) > LIMITS.definitionBytes) {
      throw new ServiceFault(
        'InvalidDefinition',
        `${name}: the definition is longer than ${LIMITS.definitionBytes} bytes`,
      );
    }
    const parsed = parseMachine(definition);
    if ('faults' in parsed) throw new ServiceFault('InvalidDefinition', `${name}: ${JSON.stringify(parsed.faults)}`);
    const arn = `arn:aws:states:${REGION}:${ACCOUNT}:stateMachine:${name}`;
    const now = this.#clock.now();
    const old = this.machines.get(arn);
    const same = old?.definition === definition && old.roleArn === roleArn;
    const made: Machine = {
      ...{ arn, name, definition, machine: parsed.machine, roleArn, more },
      created: old?.created ?? now,
      revisionId: same ? old.revisionId : randomUUID(),
    };
    this.machines.set(arn, made);
    return made;
  }

  #machine(arn: unknown): Machine {
    const found = this.machines.get(String(arn));
    if (found !== undefined) return found;
    if (!/^arn:[\w-]+:states:[^:]+:\d+:stateMachine:.+/.test(String(arn))) {
      throw new ServiceFault('InvalidArn', `Invalid Arn: '${arn}'`);
    }
    throw new ServiceFault('StateMachineDoesNotExist', `State Machine Does Not Exist: '${arn}'`);
  }

  #execution(arn: unknown): Run {
    const found = this.executions.get(String(arn));
    if (found !== undefined) return found;
    if (!/^arn:[\w-]+:states:[^:]+:\d+:execution:[^:]+:.+/.test(String(arn))) {
      throw new ServiceFault('InvalidArn', `Invalid Arn: '${arn}'`);
    }
    throw new ServiceFault('ExecutionDoesNotExist', `Execution Does Not Exist: '${arn}'`);
  }
}

/** Of a machine and of an execution. */
function isName(name: string): boolean {
  return (
    name.length >= 1 && name.length <= LIMITS.executionNameChars && !/[\s<>{}[\]?*"#%\\^|~`$&,;:/\p{Cc}]/u.test(name)
  );
}

/** `${NAME}` wherever it stands in the text, as CloudFormation does. */
function substituted(text: string, values: Mapping): string {
  return text.replaceAll(/\$\{(\w+)\}/g, (whole, name: string) =>
    Object.hasOwn(values, name) ? JSON.stringify(values[name]).slice(1, -1) : whole,
  );
}

function started({ arn, started: at }: Run): object {
  return { executionArn: arn, startDate: at / 1000 };
}

function describeMachine({ arn, name, definition, roleArn, created, revisionId, more }: Machine): object {
  const { LoggingConfiguration, TracingConfiguration } = more;
  return {
    ...{ stateMachineArn: arn, name, status: 'ACTIVE', definition, roleArn, type: 'STANDARD', revisionId },
    creationDate: created / 1000,
    loggingConfiguration: lower(LoggingConfiguration ?? { Level: 'OFF' }),
    tracingConfiguration: lower(TracingConfiguration ?? { Enabled: false }),
  };
}

/** CloudFormation's names with a capital letter, as the API says them. */
function lower(value: Json): Json {
  if (Array.isArray(value)) return value.map(lower);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) => [key.charAt(0).toLowerCase() + key.slice(1), lower(each)]),
  );
}

function summary(run: Run) {
  return {
    executionArn: run.arn,
    stateMachineArn: run.machine.arn,
    name: run.name,
    status: run.outcome?.status ?? 'RUNNING',
    startDate: run.started / 1000,
    ...(run.stopped !== undefined && { stopDate: run.stopped / 1000 }),
    redriveCount: 0,
  };
}

function describe(run: Run): object {
  const { outcome, input } = run;
  return {
    ...summary(run),
    input,
    inputDetails: { included: true },
    redriveStatus: 'NOT_REDRIVABLE',
    ...(outcome?.status === 'SUCCEEDED'
      ? { output: JSON.stringify(outcome.output), outputDetails: { included: true } }
      : {
          ...(outcome?.error !== undefined && { error: outcome.error }),
          ...(outcome?.cause !== undefined && { cause: outcome.cause }),
        }),
  };
}

function read(output: unknown): Json {
  try {
    return JSON.parse(String(output));
  } catch {
    throw new ServiceFault('InvalidOutput', "Invalid Output: 'not JSON'");
  }
}

/** `maxResults` of a list, from where `nextToken` says. */
function page(name: string, all: readonly unknown[], { maxResults, nextToken }: Input): object {
  const from = Number(nextToken ?? 0);
  const size = Math.min(Number(maxResults ?? 0) || 100, 1000);
  const next = from + size < all.length ? { nextToken: String(from + size) } : {};
  return { [name]: all.slice(from, from + size), ...next };
}

function withoutData(event: ApiEvent): ApiEvent {
  return JSON.parse(JSON.stringify(event, (key, value) => (DATA.has(key) ? undefined : value))) as ApiEvent;
}

const DATA = new Set(['input', 'output', 'parameters', 'assignedVariables', 'inputDetails', 'outputDetails']);
