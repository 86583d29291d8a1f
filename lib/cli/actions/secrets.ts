import { basename } from 'node:path';
import { findProject } from '../../language/find-project.ts';
import { RequestFault, usageFault } from '../../language/request-fault.ts';
import { SecretStore } from '../../local/secrets.ts';
import { EXIT } from '../exit-codes.ts';
import type { Terminal } from '../terminal.ts';
import { readItems, type SecretsFlags, secretsCommand } from './secret-items.ts';

/** Never prints a value, also not in a message about a wrong item. */
export async function manageSecrets(terminal: Terminal, flags: SecretsFlags): Promise<number> {
  if ((flags.local === true) === (flags.aws === true)) {
    throw usageFault(
      'whose secrets? Say one of --local (runs here) and --aws (deployed workflows)',
      ...(['local', 'aws'] as const).map((where) => secretsCommand(terminal, { ...flags, where }, 'KEY')),
    );
  }
  const doing = [flags.set, flags.delete, flags.list].filter((each) => each !== undefined);
  if (doing.length > 1) throw usageFault('--set, --delete and --list do not go together');
  if (flags.aws) {
    const { manageDeployedSecrets } = await import('./deployed-secrets.ts');
    return manageDeployedSecrets(terminal, flags);
  }
  const { folder } = findProject(terminal.cwd, flags);
  const store = new SecretStore(folder, terminal.env);

  if (flags.set !== undefined) {
    const values = await readItems(terminal, flags);
    await store.set(values);
    await terminal.stderr.write(`Set ${Object.keys(values).join(', ')} for the project ${basename(folder)}\n`);
  } else if (flags.delete !== undefined) {
    const deleted = await store.delete(flags.delete);
    const absent = flags.delete.filter((key) => !deleted.includes(key));
    if (deleted.length > 0) await terminal.stderr.write(`Deleted ${deleted.join(', ')}\n`);
    if (absent.length > 0) throw new RequestFault('failed', `there is no secret ${absent.join(', ')}`);
  } else {
    const { own, digdag } = await store.list();
    await terminal.stdout.write(own.map((key) => `${key}\n`).join(''));
    await terminal.stdout.write(digdag.map((key) => `${key}  (of digdag)\n`).join(''));
    if (own.length + digdag.length === 0) {
      await terminal.stderr.write(`No secret is set. Set one with: ${secretsCommand(terminal, flags, 'KEY')}\n`);
    }
  }
  return EXIT.ok;
}
