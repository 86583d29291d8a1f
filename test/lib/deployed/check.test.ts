/** The checks against a played account; the last test asks moto with the real clients and the real command line. */
import { CreateSubnetCommand, CreateVpcCommand, EC2Client } from '@aws-sdk/client-ec2';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Account } from '../../../lib/deployed/account.ts';
import { connectAccount } from '../../../lib/deployed/account-client.ts';
import { AwsFault } from '../../../lib/deployed/aws-fault.ts';
import { type AccountCheck, checkAccount } from '../../../lib/deployed/check.ts';
import type { ProjectNeeds } from '../../../lib/deployed/project-needs.ts';
import { defaultConfig } from '../../../lib/language/config/project-config.ts';
import { signedAs } from '../../cloud/aws/keys.ts';
import { project, trowel } from '../cli/run-cli.ts';
import { type Moto, motoPython, startMoto } from '../local/moto.ts';

const GOOD: Account = {
  whoami: async () => ({ account: '123', region: 'eu-west-1', arn: 'arn:aws:iam::123:user/me' }),
  hasServiceRole: async () => true,
  vcpuQuota: async () => 6,
  vpcs: async () => ({ there: 3, quota: 5 }),
  hasSharedVpc: async () => true,
  functionSettings: async () => ({
    launch: { TROWEL_SUBNETS: 'subnet-1,subnet-2' },
    notify: { TROWEL_TOPIC: 'arn:topic' },
  }),
  subnets: async (ids) => ids.map((id) => ({ id, free: 100 })),
  unconfirmed: async () => [],
  inSandbox: async () => false,
  verified: async () => true,
};

const NEEDS: ProjectNeeds = {
  secrets: new Map([
    ['db.password', ['+main+load (main.dig:2)']],
    ['hook', ['+a', '+b', '+c', '+d', '+e']],
  ]),
  senders: new Map([['me@example.com', ['+main+mail (main.dig:9)']]]),
  mails: true,
  widest: { workflow: 'main', containers: 4 },
};

function check(account: Partial<Account> = {}, more: Partial<AccountCheck> = {}) {
  return checkAccount({
    project: 'shop',
    config: defaultConfig('/shop'),
    needs: NEEDS,
    account: { ...GOOD, ...account },
    secrets: { missing: async (keys) => keys.filter((key) => key === 'mail.host') },
    secretCommand: (key) => `trowel secrets --aws --set ${key}`,
    ...more,
  });
}

const refuse = (action: string) => async (): Promise<never> => {
  throw new AwsFault('denied', action, `your AWS credentials do not allow ${action}`, ['said so']);
};

describe('an account', () => {
  it('in which all is well has facts alone', async () => {
    expect(await check()).toEqual({
      diagnostics: [],
      facts: [
        'Account 123, region eu-west-1, as user/me',
        'Secrets: 2 of 2 set',
        'Fargate: 6 vCPU at once, 12 tasks of 0.5',
        'VPC: the one that projects of this account and region share',
        'Subnets: 200 free addresses',
      ],
    });
  });

  it.each<[string, Partial<Account>, string, string, string, string]>([
    [
      'that never used ECS',
      { hasServiceRole: async () => false },
      'aws-service-role',
      'warning',
      'ECS has not been used in this account',
      'aws iam create-service-linked-role --aws-service-name ecs.amazonaws.com',
    ],
    [
      'a quota below what runs at once',
      { vcpuQuota: async () => 1 },
      'aws-quota',
      'warning',
      'this account 2',
      'L-3032A538',
    ],
    [
      'a quota below one task',
      { vcpuQuota: async () => 0 },
      'aws-quota',
      'error',
      'this account 0',
      'No task can start',
    ],
    [
      'no room for the VPC that projects share',
      { hasSharedVpc: async () => false, vpcs: async () => ({ there: 5, quota: 5 }) },
      'aws-quota',
      'error',
      'this account has 5 of 5',
      'L-F678F1CE',
    ],
    [
      'a sender that is not verified',
      { verified: async () => false },
      'aws-mail',
      'error',
      'me@example.com',
      'Verify it',
    ],
    ['the sandbox', { inSandbox: async () => true }, 'aws-mail', 'warning', 'in its sandbox', 'production access'],
    [
      'mail nobody confirmed',
      { unconfirmed: async () => ['ops@example.com'] },
      'aws-unconfirmed',
      'warning',
      'ops@example.com gets no',
      'Subscription Confirmation',
    ],
    [
      'a full subnet',
      {
        subnets: async () => [
          { id: 's1', free: 0 },
          { id: 's2', free: 9 },
        ],
      },
      'aws-subnets',
      'warning',
      's1 has 0',
      'larger subnets',
    ],
    [
      'full subnets',
      { subnets: async () => [{ id: 's1', free: 3 }] },
      'aws-subnets',
      'error',
      '3 free addresses',
      'larger subnets',
    ],
    [
      'a right that is missing',
      { vcpuQuota: refuse('servicequotas:GetServiceQuota') },
      'aws-not-checked',
      'warning',
      'Not checked: the quota',
      'servicequotas:GetServiceQuota',
    ],
  ])('with %s', async (_what, account, code, severity, message, note) => {
    const { diagnostics } = await check(account);
    expect(diagnostics).toEqual([
      expect.objectContaining({ code, severity, message: expect.stringContaining(message) }),
    ]);
    expect(diagnostics[0]?.notes.join(' ')).toContain(note);
  });

  it('without a secret: the command that sets it, and who asks for it', async () => {
    const { diagnostics } = await check(
      { verified: async () => false },
      { secrets: { missing: async (keys) => keys.filter((key) => key !== 'mail.host') } },
    );
    expect(diagnostics).toEqual([
      {
        code: 'secret-missing',
        severity: 'error',
        message: 'The secret db.password is not set on AWS',
        notes: ['Set it with: trowel secrets --aws --set db.password', 'It is asked for by +main+load (main.dig:2).'],
      },
      expect.objectContaining({
        notes: ['Set it with: trowel secrets --aws --set hook', 'It is asked for by +a, +b, +c and 2 more.'],
      }),
    ]);
  });

  it('in China is shown in its own console', async () => {
    const whoami = async () => ({ account: '123', region: 'cn-north-1', arn: 'arn:aws-cn:iam::123:user/me' });
    const { diagnostics } = await check({ whoami, verified: async () => false, vcpuQuota: async () => 0 });
    expect(diagnostics.map(({ notes }) => /https:\/\/[^/]+/.exec(notes.join(' '))?.[0])).toEqual([
      'https://console.amazonaws.cn',
      'https://console.amazonaws.cn',
    ]);
  });

  it('to which nothing is deployed yet', async () => {
    const { diagnostics, facts } = await check({ functionSettings: async () => ({}) });
    expect(diagnostics).toEqual([]);
    expect(facts).toContain('The project shop is not deployed here yet');
  });

  it('that cannot be asked at all is no list of warnings', async () => {
    const whoami = async (): Promise<never> => {
      throw new AwsFault('setup', 'sts:GetCallerIdentity', 'there are no AWS credentials', []);
    };
    await expect(check({ whoami })).rejects.toThrow('there are no AWS credentials');
  });
});

describe('by the real clients', () => {
  const python = motoPython();
  let moto: Moto;
  const env = () => ({
    AWS_ENDPOINT_URL: moto.url,
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
  });

  beforeAll(async () => {
    if (python === undefined) throw new Error("no Python with moto's server");
    moto = await startMoto(python);
  });
  afterAll(() => moto?.stop());

  it('trowel check --aws lists missing secrets, and goes on where moto knows no answer', async () => {
    const cwd = await project({
      'trowel.yml': 'name: shop\n',
      'main.dig': '+a:\n  py>: t.f\n  _env: {P: "${secret:db.password}"}\n',
      't.py': 'def f(): pass\n',
    });
    const { code, stderr, stdout } = await trowel(['check', '--aws'], { cwd, env: env() });
    expect(stderr).toContain('error secret-missing: The secret db.password is not set on AWS');
    expect(stderr).toContain('Set it with: trowel secrets --aws --set db.password');
    expect(stdout).toContain('The project shop is not deployed here yet');
    expect(code).toBe(1);
    await trowel(['secrets', '--aws', '--set', 'db.password=x'], { cwd, env: env() });
    const again = await trowel(['check', '--aws', '--format', 'json'], { cwd, env: env() });
    const found = JSON.parse(again.stdout) as { code: string }[];
    expect(found.filter((each) => each.code === 'secret-missing')).toEqual([]);
    expect(again.code).toBe(0);
  });

  it('without credentials the project’s own faults are told all the same', async () => {
    const cwd = await project({ 'main.dig': '+a:\n  shh>: x\n' });
    const none = { ...env(), AWS_ACCESS_KEY_ID: '', AWS_SECRET_ACCESS_KEY: '', AWS_EC2_METADATA_DISABLED: 'true' };
    const { code, stderr } = await trowel(['check', '--aws'], { cwd, env: none });
    expect(stderr).toContain('unknown-operator');
    expect(stderr).toContain('there are no AWS credentials');
    expect(code).toBe(4);
  });

  it('subnets, and the caller', async () => {
    const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
    const before = { ...process.env };
    Object.assign(process.env, env());
    const ec2 = new EC2Client({ endpoint: moto.url, region: 'us-east-1', credentials });
    const { Vpc } = await ec2.send(new CreateVpcCommand({ CidrBlock: '10.0.0.0/16' }));
    const { Subnet } = await ec2.send(new CreateSubnetCommand({ VpcId: Vpc?.VpcId, CidrBlock: '10.0.0.0/28' }));
    const account = connectAccount({ region: 'us-east-1' });
    try {
      expect(await account.subnets([Subnet?.SubnetId ?? ''])).toEqual([{ id: Subnet?.SubnetId, free: 11 }]);
      expect(await account.whoami()).toMatchObject({ account: '123456789012', region: 'us-east-1' });
      expect(await account.functionSettings('shop')).toEqual({});
      expect(await account.hasServiceRole()).toBe(false);
      expect(await account.hasSharedVpc()).toBe(false);
      const ssm = {
        ...signedAs(credentials, 'ssm', 'us-east-1'),
        'content-type': 'application/x-amz-json-1.1',
        'x-amz-target': 'AmazonSSM.PutParameter',
      };
      const body = JSON.stringify({ Name: '/trowel/network', Value: '{}', Type: 'String' });
      expect((await fetch(moto.url, { method: 'POST', headers: ssm, body })).ok).toBe(true);
      expect(await account.hasSharedVpc()).toBe(true);
    } finally {
      process.env = before;
      ec2.destroy();
    }
  });
});
