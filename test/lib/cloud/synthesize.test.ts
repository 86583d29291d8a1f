/** The app of cdk.json, as the CDK's command line runs it: where it writes and what it knows come by the environment. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { BUNDLED } from '../../../lib/cloud/functions.ts';
import { ProjectError } from '../../../lib/cloud/project-error.ts';
import { synthesize } from '../../../lib/cloud/synthesize.ts';

const ROOT = mkdtempSync(join(tmpdir(), 'trowel-synthesize-'));
const PLACES = { functions: join(ROOT, 'functions'), bootstrap: join(ROOT, 'bootstrap.py') };
const project = join(ROOT, 'looked');
const out = join(ROOT, 'cdk.out');

beforeAll(() => {
  for (const name of BUNDLED) write(`functions/${name}/index.mjs`, 'export const handler = () => {};\n');
  write('bootstrap.py', '');
  write('looked/main.dig', '+a:\n  echo>: a\n');
  write('looked/trowel.yml', 'name: looked\nnetwork: {vpc: vpc-0123, subnets: private}\n');
});
afterEach(() => void vi.unstubAllEnvs());
afterAll(() => rmSync(ROOT, { recursive: true, force: true }));

function write(path: string, text: string): void {
  mkdirSync(dirname(join(ROOT, path)), { recursive: true });
  writeFileSync(join(ROOT, path), text);
}

interface Manifest {
  readonly missing?: readonly { readonly key: string; readonly provider: string; readonly props: object }[];
}

async function run(context: object = {}): Promise<Manifest> {
  vi.stubEnv('CDK_OUTDIR', out);
  vi.stubEnv('CDK_CONTEXT_JSON', JSON.stringify(context));
  await synthesize({ cwd: project, ...PLACES });
  return JSON.parse(readFileSync(join(out, 'manifest.json'), 'utf8'));
}

describe('a VPC that trowel.yml names', () => {
  it('cannot be looked up in an account that is not known: said, with the way out', async () => {
    vi.stubEnv('CDK_DEFAULT_ACCOUNT', undefined);
    vi.stubEnv('CDK_DEFAULT_REGION', undefined);
    const before = process.listeners('beforeExit');
    const error = await run().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ProjectError);
    // The CDK would write it when the process ends.
    expect(process.listeners('beforeExit')).toEqual(before);
    expect(error).toMatchObject({
      message: expect.stringContaining('The VPC vpc-0123 is looked up in your account'),
      diagnostics: [{ notes: [expect.stringContaining('AWS_PROFILE')] }],
    });
  });

  it('is asked of the account, and its subnets are those of the containers', async () => {
    vi.stubEnv('CDK_DEFAULT_ACCOUNT', '123456789012');
    vi.stubEnv('CDK_DEFAULT_REGION', 'eu-west-1');
    const [missing, ...others] = (await run()).missing ?? [];
    expect(others).toEqual([]);
    expect(missing).toMatchObject({ provider: 'vpc-provider', props: { filter: { 'vpc-id': 'vpc-0123' } } });
    const subnet = (name: string, zone: string) => ({
      ...{ subnetId: `subnet-${name}`, cidr: '10.0.0.0/24', availabilityZone: zone, routeTableId: `rtb-${name}` },
    });
    const found = {
      vpcId: 'vpc-0123',
      vpcCidrBlock: '10.0.0.0/16',
      availabilityZones: [],
      subnetGroups: [
        { name: 'Public', type: 'Public', subnets: [subnet('public', 'eu-west-1a')] },
        { name: 'Private', type: 'Private', subnets: [subnet('one', 'eu-west-1a'), subnet('two', 'eu-west-1b')] },
      ],
    };
    expect((await run({ [missing?.key ?? '']: found })).missing).toBeUndefined();
    const { Resources } = JSON.parse(readFileSync(join(out, 'trowel-looked.template.json'), 'utf8'));
    const resources = Object.values<{ Type: string; Properties: { Environment?: { Variables: object } } }>(Resources);
    expect(resources.filter(({ Type }) => Type === 'AWS::EC2::VPC')).toEqual([]);
    expect(resources.map(({ Properties }) => Properties?.Environment?.Variables)).toContainEqual(
      expect.objectContaining({ TROWEL_SUBNETS: 'subnet-one,subnet-two', TROWEL_ASSIGN_PUBLIC_IP: 'DISABLED' }),
    );
  });
});

describe('what the CDK is told', () => {
  beforeAll(() => {
    write('some/main.dig', '+a:\n  echo>: a\n');
    write('some/test.dig', '+a:\n  echo>: a\n_error:\n  ech>: a mistake, which does not matter\n');
    write('some/needy.dig', '+a:\n  require>: test\n');
    write('some/trowel.yml', 'name: some\ndeploy: {exclude: [test.dig, needy.dig]}\n');
  });

  it('leaves it no feature flag to count as not configured', async () => {
    await run({ project: '../some' });
    const { artifacts } = JSON.parse(readFileSync(join(out, 'manifest.json'), 'utf8'));
    const { flags } = artifacts['aws-cdk-lib/feature-flag-report'].properties;
    expect(Object.keys(flags).length).toBeGreaterThan(50);
    expect(Object.entries<{ userValue?: unknown }>(flags).filter(([, flag]) => flag.userValue === undefined)).toEqual(
      [],
    );
  });

  it('keeps workflows that trowel.yml excludes out of the stack, whatever is wrong with them', async () => {
    await run({ project: '../some' });
    const { Resources } = JSON.parse(readFileSync(join(out, 'trowel-some.template.json'), 'utf8'));
    const machines = Object.values<{ Type: string; Properties: { StateMachineName?: string } }>(Resources).filter(
      ({ Type }) => Type === 'AWS::StepFunctions::StateMachine',
    );
    expect(machines.map(({ Properties }) => Properties.StateMachineName)).toEqual(['some-main']);
  });

  it('is not told to deploy what requires an excluded workflow', async () => {
    write('some/test.dig', '+a:\n  echo>: a\n');
    write('some/trowel.yml', 'name: some\ndeploy: {exclude: test.dig}\n');
    await expect(run({ project: '../some' })).rejects.toMatchObject({
      diagnostics: [
        { message: expect.stringContaining('needy requires test'), notes: ['Deploy both, or exclude both.'] },
      ],
    });
  });
});
