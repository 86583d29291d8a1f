/** Projects as templates: a folder is written, loaded and made a stack, and what its roles may is one line a statement. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { App } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { afterAll, beforeAll } from 'vitest';
import { BUNDLED } from '../../../lib/cloud/functions.ts';
import { loadTrowelProject } from '../../../lib/cloud/load-project.ts';
import type { TrowelProjectProps } from '../../../lib/cloud/trowel-project.ts';
import { TrowelStack } from '../../../lib/cloud/trowel-stack.ts';
import { stateMachineName } from '../../../lib/contract/deployed-names.ts';

export const ROOT = mkdtempSync(join(tmpdir(), 'trowel-cloud-'));
export const PLACES = { functions: join(ROOT, 'functions'), bootstrap: join(ROOT, 'bootstrap.py') };
export const ECHO = '+a:\n  echo>: a\n';
export const CALLS = `
+query: {aws>: athena:startQueryExecution.sync, arguments: {QueryString: select 1}}
+job: {aws>: glue:startJobRun.sync, arguments: {JobName: "sales-\${session_date}"}}
+batch: {aws>: batch:submitJob.sync, arguments: {JobName: n, JobQueue: q, JobDefinition: d}}
+table: {aws>: dynamodb:putItem, arguments: {TableName: t, Item: {}}}
+object: {aws>: s3:putObject, arguments: {Bucket: b, Key: "in/\${session_date}", Body: x}}
+task: {aws>: ecs:runTask.sync, arguments: {TaskDefinition: report}}
`;
/** Packages are installed once for all files of tests. */
const CACHE = join(import.meta.dirname, '..', '..', '..', 'node_modules', '.cache', 'trowel-test-packages');
export const ENV = { ...process.env, XDG_CACHE_HOME: CACHE };

/** To be called once by each file of tests. */
export function setUp(): void {
  beforeAll(async () => {
    // The functions' own code has tests of its own; here it is what is deployed with them.
    for (const name of BUNDLED) write(join(PLACES.functions, name, 'index.mjs'), 'export const handler = () => {};\n');
    write(PLACES.bootstrap, 'print("bootstrap")\n');
    // Installs uv and what the runner needs, which takes its time.
    await load(folder('first', { 'main.dig': ECHO }));
  });
  afterAll(() => rmSync(ROOT, { recursive: true, force: true }));
}

export function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

export function folder(name: string, files: { readonly [path: string]: string }): string {
  for (const [path, text] of Object.entries(files)) write(join(ROOT, name, path), text);
  return join(ROOT, name);
}

export function load(dir: string) {
  return loadTrowelProject(dir, { env: ENV, notice: () => {}, now: Date.parse('2030-01-01T00:00:00Z') });
}

interface Deployed {
  readonly template: Template;
  readonly app: App;
  readonly stack: TrowelStack;
  /** Text of a workflow's definition, as it is uploaded. */
  definition(workflow: string): string;
}

export async function deploy(
  name: string,
  files: { readonly [path: string]: string },
  props: Partial<TrowelProjectProps> = {},
) {
  const project = await load(folder(name, files));
  const app = new App({ outdir: join(ROOT, `${name}.out`) });
  const stack = new TrowelStack(app, 'stack', { ...PLACES, project, ...props });
  const template = Template.fromStack(stack);
  const definition = (workflow: string): string => {
    const [machine] = Object.values(
      template.findResources('AWS::StepFunctions::StateMachine', {
        Properties: { StateMachineName: stateMachineName(project.name, workflow) },
      }),
    );
    const key: string = machine?.Properties.DefinitionS3Location.Key;
    const hash = key.slice(key.lastIndexOf('/') + 1);
    const out = join(ROOT, `${name}.out`);
    return readFileSync(join(out, readdirSync(out).find((file) => file === `asset.${hash}`) ?? hash), 'utf8');
  };
  return { template, app, stack, definition } satisfies Deployed;
}

/** Statements of the role whose logical id contains a text: `action action -> resource [condition]`, sorted. */
export function permissions(template: Template, role: string): string[] {
  const own = Object.entries(template.findResources('AWS::IAM::Role'))
    .filter(([id]) => id.includes(role))
    .flatMap(([, { Properties }]) => Properties.Policies ?? [])
    .map(({ PolicyDocument }) => PolicyDocument);
  const attached = Object.entries(template.findResources('AWS::IAM::Policy'))
    .filter(([, { Properties }]) => Properties.Roles.some(({ Ref }: { Ref: string }) => Ref.includes(role)))
    .map(([, { Properties }]) => Properties.PolicyDocument);
  const list = (value: unknown) => (Array.isArray(value) ? value : [value]);
  return [...own, ...attached]
    .flatMap(({ Statement }) => Statement)
    .map(({ Action, Resource, Condition }) =>
      `${list(Action).join(' ')} -> ${list(Resource).map(flat).join(' ')}${conditions(Condition)}`.replace(
        /[0-9a-f]{64}/,
        'SHA256',
      ),
    )
    .sort();
}

/** ` [key=value]`, with the operator. */
export function conditions(given: { readonly [operator: string]: { readonly [key: string]: unknown } } = {}): string {
  return Object.entries(given)
    .flatMap(([operator, keys]) =>
      Object.entries(keys).map(([key, value]) => ` [${operator} ${key}=${[value].flat().map(flat)}]`),
    )
    .join('');
}

/** References and joins of a template as one text; hashes of logical ids are cut. */
export function flat(value: unknown): string {
  if (value === null || typeof value !== 'object') return String(value);
  const [[name, inner] = ['', '']] = Object.entries(value);
  const id = (text: string) => text.replace(/[0-9A-F]{8}$/, '').replace('AWS::', '');
  if (name === 'Ref') return `<${id(String(inner))}>`;
  if (name === 'Fn::GetAtt') return `<${id(inner[0])}.${inner[1]}>`;
  if (name === 'Fn::Join') return inner[1].map(flat).join(inner[0]);
  return String(inner).replaceAll(/\$\{AWS::(\w+)\}/g, '<$1>');
}

/** Logical id of the role of a state machine. */
export function machineRole(template: Template, name: string): string {
  const [machine] = Object.values(
    template.findResources('AWS::StepFunctions::StateMachine', { Properties: { StateMachineName: name } }),
  );
  return machine?.Properties.RoleArn['Fn::GetAtt'][0];
}

/** What a reference becomes at its longest: an ARN in a region with a long name, or a physical name of 64 characters. */
const LONGEST: { readonly [name: string]: string } = {
  'AWS::Partition': 'aws-us-gov',
  'AWS::Region': 'ap-southeast-1',
  'AWS::AccountId': '123456789012',
  'AWS::URLSuffix': 'amazonaws.com',
};

/** A value of a template as text. */
export function plain(value: unknown): string {
  if (value === null || typeof value !== 'object') return String(value);
  const [[name, inner] = ['', '']] = Object.entries(value);
  if (name === 'Ref') return LONGEST[String(inner)] ?? `subnet-0123456789abcdef0,${'x'.repeat(38)}`;
  if (name === 'Fn::GetAtt') return 'x'.repeat(inner[1] === 'Arn' ? 140 : 20);
  if (name === 'Fn::Select') return '1234';
  if (name === 'Fn::Split') return plain(inner[1]);
  // What is only known as a list when it is deployed is joined again.
  if (name === 'Fn::Join') return [inner[1]].flat().map(plain).join(inner[0]);
  if (name === 'Fn::Sub')
    return String(inner).replaceAll(/\$\{([^}]+)\}/g, (_, each: string) => LONGEST[each] ?? 'x'.repeat(64));
  throw new Error(`Expected a reference, got ${JSON.stringify(value)}`);
}

/** A document with its references, as IAM counts it. */
export function written(value: unknown): string {
  return JSON.stringify(value, (_, each) => {
    const [first = ''] = each !== null && typeof each === 'object' && !Array.isArray(each) ? Object.keys(each) : [];
    return first === 'Ref' || first.startsWith('Fn::') ? plain(each) : each;
  });
}

export function launches(template: Template, variables: { readonly [name: string]: unknown }): void {
  template.hasResourceProperties('AWS::Lambda::Function', {
    Environment: { Variables: Match.objectLike({ TROWEL_TASK_DEFINITIONS: Match.anyValue(), ...variables }) },
  });
}

/** ARNs of all families of task definitions, in the template's order. */
export function families(template: Template): string {
  return Object.values(template.findResources('AWS::ECS::TaskDefinition'))
    .map(({ Properties }) => `arn:<Partition>:ecs:<Region>:<AccountId>:task-definition/${Properties.Family}:*`)
    .join(' ');
}
