import { PROJECT_TAG, tagValue } from '../../contract/deployed-names.ts';
import { ProjectSecrets, RECOVERY_DAYS, secretFault } from '../../deployed/secrets.ts';
import { RequestFault, usageFault } from '../../language/request-fault.ts';
import { EXIT } from '../exit-codes.ts';
import type { Terminal } from '../terminal.ts';
import { connectionOf } from './aws-access.ts';
import { projectName } from './open-deployed.ts';
import type { SecretsFlags } from './secret-items.ts';
import { readItems, secretsCommand } from './secret-items.ts';

/** `trowel secrets --aws`: values go to Secrets Manager and are never read or shown. */
export async function manageDeployedSecrets(terminal: Terminal, flags: SecretsFlags): Promise<number> {
  const name = await projectName(terminal, flags);
  const values = await readItems(terminal, flags);
  for (const [key, value] of Object.entries(values)) {
    const fault = secretFault(key, value);
    if (fault !== undefined) throw usageFault(fault);
  }
  const { connectSecrets } = await import('../../deployed/secrets-client.ts');
  const manager = connectSecrets(connectionOf(flags));
  const secrets = new ProjectSecrets(manager, name, { [PROJECT_TAG]: tagValue(name) });
  if (flags.set !== undefined) await set(terminal, secrets, name, values);
  else if (flags.delete !== undefined) await forget(terminal, secrets, flags.delete);
  else await list(terminal, secrets, name, flags);
  return EXIT.ok;
}

async function set(
  { stderr }: Terminal,
  secrets: ProjectSecrets,
  project: string,
  values: { readonly [key: string]: string },
): Promise<void> {
  for (const [key, value] of Object.entries(values)) {
    await secrets.set(key, value);
    await stderr.write(`Set ${key} for the deployed project ${project}\n`);
  }
}

async function forget({ stderr }: Terminal, secrets: ProjectSecrets, keys: readonly string[]): Promise<void> {
  const absent: string[] = [];
  for (const key of keys) {
    if (await secrets.delete(key)) {
      await stderr.write(
        `Deleted ${key}. For ${RECOVERY_DAYS} days AWS can bring it back; setting it anew does, too\n`,
      );
    } else absent.push(key);
  }
  if (absent.length > 0) throw new RequestFault('failed', `there is no secret ${absent.join(', ')}`);
}

async function list(terminal: Terminal, secrets: ProjectSecrets, project: string, flags: SecretsFlags): Promise<void> {
  const keys = await secrets.list();
  await terminal.stdout.write(keys.map((key) => `${key}\n`).join(''));
  if (keys.length > 0) return;
  const command = secretsCommand(terminal, flags, 'KEY');
  await terminal.stderr.write(`No secret is set for the deployed project ${project}. Set one with: ${command}\n`);
}
