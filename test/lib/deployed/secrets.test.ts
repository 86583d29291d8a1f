/** `trowel secrets --aws` by the real command line, against moto's Secrets Manager. */
import { DescribeSecretCommand, GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { secretFault } from '../../../lib/deployed/secrets.ts';
import { project, trowel } from '../cli/run-cli.ts';
import { type Moto, motoPython, startMoto } from '../local/moto.ts';

const python = motoPython();
let moto: Moto;
let cwd: string;
let client: SecretsManagerClient;

beforeAll(async () => {
  if (python === undefined) throw new Error("no Python with moto's server");
  moto = await startMoto(python);
  cwd = await project({
    'trowel.yml': 'name: shop\n',
    'key.pem': 'BEGIN\nEND\n',
    'more.yml': 'slack:\n  url: hidden1\ndb: hidden2\n',
  });
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  client = new SecretsManagerClient({ endpoint: moto.url, region: 'eu-west-1', credentials });
});

afterAll(async () => {
  client?.destroy();
  await moto?.stop();
});

function secrets(args: string[], stdin?: string) {
  const env = {
    AWS_ENDPOINT_URL: moto.url,
    AWS_REGION: 'eu-west-1',
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
  };
  return trowel(['secrets', '--aws', ...args], { cwd, env, ...(stdin !== undefined && { stdin }) });
}

const value = async (key: string) =>
  (await client.send(new GetSecretValueCommand({ SecretId: `trowel/shop/${key}` }))).SecretString;

describe('trowel secrets --aws', () => {
  it('says how to set the first', async () => {
    const { code, stdout, stderr } = await secrets(['--list']);
    expect(stderr).toContain(
      'No secret is set for the deployed project shop. Set one with: trowel secrets --aws --set KEY',
    );
    expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
  });

  it.each([
    [['k=hidden'], undefined, 'k', 'hidden'],
    [['pem=@key.pem'], undefined, 'pem', 'BEGIN\nEND\n'],
    [['typed=-'], 'hidden-typed\n', 'typed', 'hidden-typed'],
    [['@more.yml'], undefined, 'slack.url', 'hidden1'],
  ])('--set %j', async (items, stdin, key, expected) => {
    const { code, stdout, stderr } = await secrets(['--set', ...items], stdin);
    expect(await value(key)).toBe(expected);
    expect(stderr).toContain(`Set ${key} for the deployed project shop`);
    for (const text of [stdout, stderr]) expect(text).not.toContain('hidden');
    expect(code).toBe(0);
  });

  it('lists names, changes a value, marks with the project, deletes and brings back', async () => {
    await secrets(['--set', 'rotated=old']);
    await secrets(['--set', 'rotated=new']);
    expect(await value('rotated')).toBe('new');
    const { Tags } = await client.send(new DescribeSecretCommand({ SecretId: 'trowel/shop/rotated' }));
    expect(Tags).toEqual([{ Key: 'trowel:project', Value: 'shop' }]);
    expect((await secrets([])).stdout.split('\n')).toContain('rotated');

    const deleted = await secrets(['--delete', 'rotated', 'never']);
    expect(deleted.stderr).toContain('Deleted rotated. For 7 days AWS can bring it back');
    expect(deleted.stderr).toContain('there is no secret never');
    expect(deleted.code).toBe(1);
    expect((await secrets([])).stdout.split('\n')).not.toContain('rotated');

    await secrets(['--set', 'rotated=again']);
    expect(await value('rotated')).toBe('again');
    expect((await secrets([])).stdout.split('\n')).toContain('rotated');
  });

  it.each([
    [['--aws', '--local', '--list'], 'Say one of --local'],
    [['--aws', '--set', 'a b=hidden'], 'a secret needs a name'],
    [['--aws', '--set', 'a~b=hidden'], "not '~': a~b"],
    [['--aws', '--set', 'k='], 'the value of k is empty'],
    [['--aws', '--set', 'k'], 'no terminal to ask for k'],
  ])('refuses %j', async (args, message) => {
    const { code, stderr } = await secrets(args.slice(1));
    expect(stderr).toContain(message);
    expect(stderr).not.toContain('hidden');
    expect(code).toBe(2);
  });
});

it.each([
  ['k', 'v', undefined],
  ['db.password-2', 'v', undefined],
  ['db-abc123', 'v', 'must not end in'],
  ['k', 'x'.repeat(65_537), 'larger than 64 KiB'],
  ['schlüssel', 'v', "not 'ü'"],
])('the name %s', (key, secret, fault) => {
  const found = secretFault(key, secret);
  if (fault === undefined) expect(found).toBeUndefined();
  else expect(found).toContain(fault);
});
