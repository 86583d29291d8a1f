/**
 * Change sets are moto's. Played here is what CloudFormation finds out before one may be executed: that a log group which the stack would
 * make is there already; of all resources here these alone outlive their stack under a name that the template gives. Such a change set
 * fails by the service's own validation. With ImportExistingResources the group is taken over instead, if the template retains it: moto makes
 * it anew, and its lines are put back. The previous value of a parameter that names one of Systems Manager moto forgets in an update: the
 * CDK's, the only one here, is said again. A change set that is not there it calls a stack that is not, and the CDK, which waits for one to be
 * deleted, gives up: the error gets its own name here.
 */
import {
  type CloudWatchLogsClient,
  CreateLogStreamCommand,
  DeleteLogGroupCommand,
  DescribeLogGroupsCommand,
  DescribeLogStreamsCommand,
  GetLogEventsCommand,
  PutLogEventsCommand,
} from '@aws-sdk/client-cloudwatch-logs';
import { GetObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import type { CustomResources } from './custom-resources.ts';
import { type FailedStacks, xml } from './failed-stacks.ts';
import type { MotoServer } from './moto.ts';
import type { Answer, ServiceCall } from './service.ts';
import type { Template } from './template.ts';

interface Group {
  readonly id: string;
  readonly name: string;
  readonly retained: boolean;
}

export interface ChangeSetsOptions {
  readonly moto: MotoServer;
  readonly s3: S3Client;
  readonly logs: CloudWatchLogsClient;
  readonly custom: CustomResources;
  readonly failed: FailedStacks;
  /** As deployed now; undefined for one that is only being made. */
  readonly current: (stack: string) => Promise<Template | undefined>;
}

export class ChangeSets {
  readonly #moto: MotoServer;
  readonly #s3: S3Client;
  readonly #logs: CloudWatchLogsClient;
  /** By stack. */
  readonly #conflicts = new Map<string, readonly Group[]>();
  readonly #imports = new Map<string, readonly Group[]>();
  /** What each is about to get. */
  readonly #next = new Map<string, Template>();
  readonly #options: ChangeSetsOptions;

  constructor(options: ChangeSetsOptions) {
    const { moto, s3, logs } = options;
    this.#options = options;
    this.#moto = moto;
    this.#s3 = s3;
    this.#logs = logs;
  }

  async create(call: ServiceCall): Promise<Answer> {
    const form = formOf(call);
    const stack = stackOf(form);
    // moto would make a second stack beside the one that came to nothing.
    if (this.#conflictsOf(call).length > 0) await this.#ask(call, 'DeleteStack', { StackName: stack });
    const template = await this.#template(form);
    if (template !== undefined) this.#next.set(stack, template);
    const existing = form.get('ChangeSetType') === 'CREATE' ? await this.#existing(template) : [];
    const imports = form.get('ImportExistingResources') === 'true' ? existing.filter(({ retained }) => retained) : [];
    this.#imports.set(stack, imports);
    this.#conflicts.set(
      stack,
      existing.filter((group) => !imports.includes(group)),
    );
    return this.#moto.forward({ ...call, body: withVersion(form) }, '/');
  }

  async describe(call: ServiceCall): Promise<Answer> {
    const answer = await this.#moto.forward(call, '/');
    let body = answer.body.toString().replace('<Code>ValidationError</Code>', '<Code>ChangeSetNotFound</Code>');
    if (this.#conflictsOf(call).length > 0)
      body = body
        .replace(/<Status>\w+<\/Status>/, `<Status>FAILED</Status><StatusReason>${VALIDATION}</StatusReason>`)
        .replace(/<ExecutionStatus>\w+</, '<ExecutionStatus>UNAVAILABLE<');
    return { ...answer, body };
  }

  /** That there is none of the name is no fault; moto breaks. */
  async delete(call: ServiceCall): Promise<Answer> {
    const answer = await this.#moto.forward(call, '/');
    const body = '<DeleteChangeSetResponse><DeleteChangeSetResult/></DeleteChangeSetResponse>';
    return answer.status === 500 ? { status: 200, headers: { 'content-type': 'text/xml' }, body } : answer;
  }

  /** DescribeEvents, as far as the CDK asks for it. */
  events(call: ServiceCall): Answer {
    const events = this.#conflictsOf(call).map(({ id, name }) =>
      [
        ['EventType', 'VALIDATION_ERROR'],
        ['LogicalResourceId', id],
        ['PhysicalResourceId', ''],
        ['ResourceType', 'AWS::Logs::LogGroup'],
        ['ValidationName', 'NAME_CONFLICT_VALIDATION'],
        ['ValidationStatus', 'FAILED'],
        ['ValidationStatusReason', `Resource of type 'AWS::Logs::LogGroup' with identifier '${name}' already exists.`],
        ['ValidationPath', `/Resources/${id}/Properties/LogGroupName`],
      ]
        .map(([field, value]) => `<${field}>${value}</${field}>`)
        .join(''),
    );
    const members = events.map((event) => `<member>${event}</member>`).join('');
    const result = `<DescribeEventsResult><OperationEvents>${members}</OperationEvents></DescribeEventsResult>`;
    const body = `<DescribeEventsResponse>${result}</DescribeEventsResponse>`;
    return { status: 200, headers: { 'content-type': 'text/xml' }, body };
  }

  async execute(call: ServiceCall): Promise<Answer> {
    const form = formOf(call);
    const stack = stackOf(form);
    const before = await this.#options.current(stack);
    const next = this.#next.get(stack);
    const failure = next && (await this.#options.custom.change(stack, before, next));
    if (failure !== undefined) {
      this.#options.failed.rolledBack(stack, before === undefined, failure);
      await this.#ask(call, 'DeleteChangeSet', { ChangeSetName: form.get('ChangeSetName') ?? '' });
      return xml('ExecuteChangeSet', '');
    }
    this.#options.failed.forget(stack);
    const kept = await Promise.all((this.#imports.get(stack) ?? []).map(({ name }) => this.#take(name)));
    this.#imports.delete(stack);
    const answer = await this.#moto.forward(call, '/');
    for (const putBack of kept) await putBack();
    // moto knows one that has no ARN by its name alone, whatever its stack: those that are done are in the way.
    if (answer.status === 200)
      await this.#ask(call, 'DeleteChangeSet', { ChangeSetName: form.get('ChangeSetName') ?? '' });
    return answer;
  }

  /** Of moto, in the caller's name. */
  #ask(call: ServiceCall, Action: string, fields: { readonly [name: string]: string }): Promise<Answer> {
    const form = new URLSearchParams({ Action, Version: '2010-05-15', ...fields });
    return this.#moto.forward({ ...call, body: Buffer.from(form.toString()) }, '/');
  }

  #conflictsOf(call: ServiceCall): readonly Group[] {
    return this.#conflicts.get(stackOf(formOf(call))) ?? [];
  }

  /** The bootstrap's own is YAML, and has nothing that is played here. */
  async #template(form: URLSearchParams): Promise<Template | undefined> {
    const text = form.get('TemplateBody') ?? (await this.#read(form));
    return text.startsWith('{') ? (JSON.parse(text) as Template) : undefined;
  }

  async #existing(template: Template | undefined): Promise<readonly Group[]> {
    const groups: Group[] = [];
    for (const [id, { Type, Properties, DeletionPolicy }] of Object.entries(template?.Resources ?? {})) {
      const name = Properties?.LogGroupName;
      if (Type !== 'AWS::Logs::LogGroup' || typeof name !== 'string') continue;
      const { logGroups = [] } = await this.#logs.send(new DescribeLogGroupsCommand({ logGroupNamePrefix: name }));
      if (!logGroups.some(({ logGroupName }) => logGroupName === name)) continue;
      groups.push({ id, name, retained: /^Retain/.test(DeletionPolicy ?? '') });
    }
    return groups;
  }

  /** The template, whose address has the bucket in its path. */
  async #read(form: URLSearchParams): Promise<string> {
    const [, Bucket = '', Key = ''] = /^\/([^/]+)\/(.+)$/.exec(new URL(form.get('TemplateURL') ?? '').pathname) ?? [];
    const { Body } = await this.#s3.send(new GetObjectCommand({ Bucket, Key }));
    return (await Body?.transformToString()) ?? '';
  }

  /** Takes a log group away. @returns what puts its lines into the one of its name that is there by then */
  async #take(logGroupName: string): Promise<() => Promise<void>> {
    const { logStreams = [] } = await this.#logs.send(new DescribeLogStreamsCommand({ logGroupName }));
    const streams = logStreams.map(({ logStreamName = '' }) => ({ logGroupName, logStreamName }));
    const lines = await Promise.all(
      streams.map(async (stream) => {
        const { events = [] } = await this.#logs.send(new GetLogEventsCommand({ ...stream, startFromHead: true }));
        return events.map(({ timestamp = 0, message = '' }) => ({ timestamp, message }));
      }),
    );
    await this.#logs.send(new DeleteLogGroupCommand({ logGroupName }));
    return async () => {
      for (const [i, stream] of streams.entries()) {
        await this.#logs.send(new CreateLogStreamCommand(stream));
        const logEvents = lines[i] ?? [];
        if (logEvents.length > 0) await this.#logs.send(new PutLogEventsCommand({ ...stream, logEvents }));
      }
    };
  }
}

/** The service's own words. */
const VALIDATION =
  'The following hook(s)/validation failed: [AWS::EarlyValidation::ResourceExistenceCheck]. To troubleshoot Early Validation errors, use the DescribeEvents API for detailed failure information.';

function formOf({ body }: ServiceCall): URLSearchParams {
  return new URLSearchParams(body.toString());
}

/** By its name, whether a name or an ARN is given. */
function stackOf(form: URLSearchParams): string {
  const given = form.get('StackName') ?? '';
  return /:stack\/([^/]+)\//.exec(given)?.[1] ?? given;
}

/** `BootstrapVersion` with its value in place of `UsePreviousValue`. */
function withVersion(form: URLSearchParams): Buffer {
  for (const [key, value] of [...form]) {
    const [, parameter] = /^(Parameters\.member\.\d+)\.ParameterKey$/.exec(key) ?? [];
    if (parameter === undefined || value !== 'BootstrapVersion' || !form.has(`${parameter}.UsePreviousValue`)) continue;
    form.delete(`${parameter}.UsePreviousValue`);
    form.set(`${parameter}.ParameterValue`, '/cdk-bootstrap/hnb659fds/version');
  }
  return Buffer.from(form.toString());
}
