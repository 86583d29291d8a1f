/**
 * The way of a new user from an empty folder to a workflow that has run on AWS, and the constructs in an app of one's own: from the npm
 * tarball, with packages from the registry. What of AWS is real and what is played, test/cloud/aws/service.ts says.
 */
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { ListObjectsV2Command } from '@aws-sdk/client-s3';
import { DescribeExecutionCommand, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type SmallAws, startSmallAws } from '../../cloud/aws/small-aws.ts';
import { type Result, start, userEnv } from '../../examples/example.ts';

const ROOT = join(import.meta.dirname, '..', '..', '..');
const base = realpathSync(mkdtempSync(join(tmpdir(), 'trowel-deploy-')));
const app = join(base, 'app');
const project = join(app, 'my_project');
const STACK = 'trowel-my-project';

let aws: SmallAws;
let env: NodeJS.ProcessEnv;

function shell(line: string, cwd: string): Promise<Result> {
  return start('sh', ['-c', line], { cwd, env });
}

async function succeeds(line: string, cwd: string): Promise<Result> {
  const done = await shell(line, cwd);
  expect(done.code, `${line}\n${done.stdout}\n${done.stderr}`).toBe(0);
  return done;
}

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

beforeAll(async () => {
  aws = await startSmallAws();
  for (const folder of [app, join(base, 'home')]) mkdirSync(folder);
  const { XDG_CACHE_HOME = join(process.env.HOME ?? '', '.cache') } = process.env;
  env = {
    // The CDK keeps the account of an access key in the home folder: one home a server. What PyPI and the registry gave once is kept.
    ...userEnv(join(base, 'home')),
    XDG_CACHE_HOME,
    npm_config_cache: (await start('npm', ['config', 'get', 'cache'], { cwd: ROOT, env: process.env })).stdout.trim(),
    npm_config_fund: 'false',
    npm_config_audit: 'false',
    CDK_VALIDATION: 'false',
    CDK_DISABLE_CLI_TELEMETRY: 'true',
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    AWS_REGION: 'us-east-1',
    AWS_ENDPOINT_URL: aws.url,
  };
  const packed = await start('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', base], {
    cwd: ROOT,
    env,
  });
  expect(packed.code, packed.stderr).toBe(0);
  await succeeds('npm install ../trowel-*.tgz', app);
});

afterAll(async () => {
  await aws?.stop();
  rmSync(base, { recursive: true, force: true, maxRetries: 5 });
});

describe('a new user', () => {
  it('makes a project, runs it and deploys it by the commands that init prints', async () => {
    const made = await succeeds('npx trowel init my_project', app);
    const [, next = '', there = ''] =
      /\nNext:\n([\s\S]*?)\n\nOn AWS, with credentials there:\n([\s\S]*)$/.exec(made.stdout) ?? [];
    const commands = (text: string) => text.trim().split(/\n\s*/);
    expect(commands(there)).toEqual(['npm install', 'npx cdk bootstrap', 'npx cdk deploy']);
    const [enter = '', ...local] = commands(next);
    expect(enter).toBe('cd my_project');
    const [install = '', bootstrap = '', deploy = ''] = commands(there);
    await succeeds(install, project);
    let here = '';
    for (const command of local) here += (await succeeds(command, project)).stdout;
    expect((await succeeds('npx cdk --version', project)).stdout).toMatch(/^2\.1148\.1 /);
    await succeeds('npm run synth', project);
    await succeeds(bootstrap, project);
    // Nobody is there to be asked.
    const deployed = await succeeds(`${deploy} --require-approval never`, project);
    expect(deployed.stderr).not.toMatch(/internal error|^\s+at /m);

    const { Stacks = [] } = await aws.cloudFormation.send(new DescribeStacksCommand({ StackName: STACK }));
    expect(Stacks).toMatchObject([{ StackStatus: 'CREATE_COMPLETE' }]);
    const outputs = Stacks[0]?.Outputs?.map(({ OutputKey = '' }) => OutputKey).sort();
    expect(outputs).toEqual(['BucketName', 'Workflowingest', 'Workflowmain']);
    const [, arn = ''] = /Workflowmain = (\S+)/.exec(deployed.stdout + deployed.stderr) ?? [];
    expect(arn).toMatch(/:stateMachine:my-project-main$/);
    const { Contents } = await aws.s3.send(
      new ListObjectsV2Command({ Bucket: 'cdk-hnb659fds-assets-123456789012-us-east-1', Prefix: 'trowel/my-project/' }),
    );
    // Two definitions and the template; the functions, in one archive, and the bundle.
    const keys = (Contents ?? []).map(({ Key = '' }) => Key.replace(/^.*\./, ''));
    expect(keys.filter((type) => type === 'json').length).toBeGreaterThanOrEqual(3);
    expect(keys.filter((type) => type === 'zip').length).toBeGreaterThanOrEqual(2);

    const again = await succeeds(`${deploy} --require-approval never`, project);
    expect(again.stdout + again.stderr).toContain('(no changes)');

    await aws.deployed(STACK);
    const followed = await succeeds('npx trowel start main --follow', project);
    const sold = (text: string) => /^Sold up to \d{4}-\d\d-\d\d: (.+)$/m.exec(text)?.[1];
    expect(sold(followed.stdout), followed.stdout).toBe(sold(here) ?? 'what a run here says');
    const input = (text: string) => aws.sfn.send(new StartExecutionCommand({ stateMachineArn: arn, input: text }));
    const started = await Promise.all([
      input('{}'),
      input('{"session_time":"2026-11-01T00:00:00+09:00","params":{"region":"eu"}}'),
    ]);
    for (const { executionArn } of started) {
      const status = async () => (await aws.sfn.send(new DescribeExecutionCommand({ executionArn }))).status;
      await expect.poll(status, { timeout: 120_000 }).not.toBe('RUNNING');
      expect(await status()).toBe('SUCCEEDED');
    }
    expect(aws.proxy.refused).toEqual([]);
    // What it keeps, test/cloud/slow/destroy.test.ts says.
    expect((await succeeds('npx cdk destroy --force', project)).stderr).toContain(`${STACK}: destroyed`);
  }, 600_000);

  it('is shown what is wrong with a project, and no stack trace', async () => {
    write(join(app, 'broken/cdk.json'), '{"app": "trowel app"}');
    write(join(app, 'broken/main.dig'), '+a:\n  shell>: ls\n');
    symlinkSync(join(project, 'node_modules'), join(app, 'broken/node_modules'));
    const refused = await shell('npx cdk deploy', join(app, 'broken'));
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain(
      "main.dig:2:3 error unknown-operator: There is no operator shell>\n    2 |   shell>: ls\n      |   ^^^^^^\n      = Did you mean 'sh>'?",
    );
    expect(refused.stderr).not.toMatch(/^\s+at /m);
    const other = await shell('npx cdk synth -c project=../broken', project);
    expect(other.code).toBe(1);
    expect(other.stderr).toContain('../broken/main.dig:2:3 error unknown-operator');
  });

  it('gets the CDK of this package where package.json was there before', async () => {
    await succeeds('npx trowel init', app);
    const { devDependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
    const own = JSON.parse(readFileSync(join(app, 'package.json'), 'utf8'));
    const here = { ...own.dependencies, ...own.devDependencies };
    for (const name of ['aws-cdk', 'aws-cdk-lib', 'constructs']) expect(here[name], name).toBe(devDependencies[name]);
  });
});

const WORKFLOW = '+a:\n  py>: tasks.a\n';
const TASKS = 'def a():\n    print("a")\n';
const TSCONFIG = { module: 'nodenext', target: 'es2022', strict: true, noEmit: true };

/** An app beside the project, with its packages; TypeScript is that of the repository. */
function ownApp(name: string, files: { readonly [path: string]: string }): string {
  const folder = join(base, name);
  for (const [path, text] of Object.entries({ ...files, 'flows/main.dig': WORKFLOW, 'flows/tasks.py': TASKS })) {
    write(join(folder, path), text);
  }
  symlinkSync(join(project, 'node_modules'), join(folder, 'node_modules'));
  return folder;
}

const BODY = `
async function main(): Promise<void> {
  const project = await loadTrowelProject(join(__dirname, 'flows'));
  const app = new App();
  const stack = new Stack(app, 'own');
  const vpc = new Vpc(stack, 'Vpc', { maxAzs: 2 });
  const bucket = new Bucket(stack, 'Data');
  const table = new Table(stack, 'Table', { partitionKey: { name: 'id', type: AttributeType.STRING } });
  const flows = new TrowelProject(stack, 'Flows', { project, vpc, removalPolicy: RemovalPolicy.DESTROY, logLevel: 'ERROR' });
  flows.grantTaskRead(bucket, 'in/*');
  flows.grantTask(new PolicyStatement({ actions: ['sns:Publish'], resources: [flows.topic.topicArn] }));
  table.grantReadData(flows.taskRole);
  const { arn } = flows.machine('main');
  new CfnOutput(stack, 'Main', { value: arn });
}

main().catch((error: unknown) => {
  console.error(error instanceof ProjectError ? error.message : error);
  process.exitCode = 1;
});
`;
const NAMES = [
  ['aws-cdk-lib', 'App, CfnOutput, RemovalPolicy, Stack'],
  ['aws-cdk-lib/aws-dynamodb', 'AttributeType, Table'],
  ['aws-cdk-lib/aws-ec2', 'Vpc'],
  ['aws-cdk-lib/aws-iam', 'PolicyStatement'],
  ['aws-cdk-lib/aws-s3', 'Bucket'],
  ['trowel/cloud', 'loadTrowelProject, ProjectError, TrowelProject'],
  ['node:path', 'join'],
] as const;
const imports = NAMES.map(([from, names]) => `import { ${names} } from '${from}';`).join('\n');
const requires = NAMES.map(([from, names]) => `const { ${names} } = require('${from}');`).join('\n');
const untyped = BODY.replaceAll(': Promise<void>', '').replaceAll(': unknown', '');
const asModule = `import { dirname } from 'node:path';\nimport { fileURLToPath } from 'node:url';\nconst __dirname = dirname(fileURLToPath(import.meta.url));\n`;

function expectOwnTemplate(folder: string): void {
  const template = JSON.parse(readFileSync(join(folder, 'cdk.out/own.template.json'), 'utf8'));
  const resources = Object.entries<{ Type: string; Properties: { [key: string]: unknown } }>(template.Resources);
  const types = resources.map(([, { Type }]) => Type);
  expect(types.filter((type) => type === 'AWS::EC2::VPC')).toHaveLength(1);
  expect(types).toContain('AWS::StepFunctions::StateMachine');
  const granted = resources
    .filter(([id]) => id.startsWith('FlowsTaskRole'))
    .map(([, { Properties }]) => JSON.stringify(Properties));
  expect(granted.join()).toMatch(/s3:GetObject\*[\s\S]*\/in\/\*/);
  expect(granted.join()).toContain('dynamodb:GetItem');
  expect(granted.join()).toContain('sns:Publish');
}

describe("an app of one's own", () => {
  it.each([
    ['TypeScript, as an ES module', 'module', `${imports}\n${asModule}${BODY}`],
    // The default of `cdk init`.
    ['TypeScript, as CommonJS', 'commonjs', `${imports}\n${BODY}`],
  ])(
    'is type-checked: %s',
    async (name, type, text) => {
      const folder = ownApp(name.replaceAll(/\W/g, ''), {
        'package.json': JSON.stringify({ private: true, type }),
        'tsconfig.json': JSON.stringify({
          compilerOptions: {
            ...TSCONFIG,
            skipLibCheck: false,
            types: ['node'],
            typeRoots: [join(ROOT, 'node_modules/@types')],
          },
          files: ['app.ts'],
        }),
        'app.ts': text,
      });
      const tsc = `'${process.execPath}' '${join(ROOT, 'node_modules/typescript/bin/tsc')}'`;
      const checked = await shell(tsc, folder);
      expect(checked.stdout).toBe('');
      expect(checked.code).toBe(0);
      // The declarations say something.
      write(join(folder, 'app.ts'), text.replace("logLevel: 'ERROR'", "logLevel: 'LOUD'"));
      expect((await shell(tsc, folder)).stdout).toMatch(/app\.ts.*error TS2322: .*'"LOUD"'/);
    },
    120_000,
  );

  it.each([
    ['an ES module', 'app.mjs', `${imports}\n${asModule}${untyped}`],
    ['CommonJS', 'app.cjs', `${requires}\n${untyped}`],
  ])(
    'is synthesised, as %s',
    async (name, file, text) => {
      const folder = ownApp(name.replaceAll(' ', ''), {
        'cdk.json': JSON.stringify({ app: `node ${file}` }),
        [file]: text,
      });
      await succeeds('npx cdk synth --quiet', folder);
      expectOwnTemplate(folder);
      write(join(folder, 'flows/main.dig'), '+a:\n  shell>: ls\n');
      const refused = await shell('npx cdk synth --quiet', folder);
      expect(refused.code).toBe(1);
      expect(refused.stderr).toContain(
        "main.dig:2 error unknown-operator: There is no operator shell>\n  = Did you mean 'sh>'?",
      );
    },
    120_000,
  );
});
