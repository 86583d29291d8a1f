import { mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { SecretStore } from '../../../lib/local/secrets.ts';
import { temporary } from './temporary.ts';

async function place(files: { readonly [path: string]: string } = {}) {
  const home = await temporary(files);
  const env = { XDG_CONFIG_HOME: join(home, 'config') };
  mkdirSync(join(home, 'project'), { recursive: true });
  return { home, env, project: join(home, 'project') };
}

it('keeps, finds, lists and forgets', async () => {
  const { env, project } = await place();
  await new SecretStore(project, env).set({ key1: 'a', 'slack.url': 'b\nc' });
  const store = new SecretStore(project, env);
  expect(await store.get('slack.url')).toBe('b\nc');
  expect(await store.missing(['key1', 'key2', 'constructor'])).toEqual(['key2', 'constructor']);
  expect(await store.list()).toEqual({ own: ['key1', 'slack.url'], digdag: [] });
  expect(await store.delete(['key1', 'never'])).toEqual(['key1']);
  expect(await store.get('key1')).toBeUndefined();
});

it('is for its user alone, outside of the project', async () => {
  const { env, project } = await place();
  const store = new SecretStore(project, env);
  await store.set({ key1: 'a' });
  expect(statSync(store.path).mode & 0o777).toBe(0o600);
  expect(statSync(dirname(store.path)).mode & 0o777).toBe(0o700);
  expect(store.path.startsWith(project)).toBe(false);
});

it('knows a project by its real path', async () => {
  const { home, env, project } = await place();
  symlinkSync(project, join(home, 'link'));
  await new SecretStore(join(home, 'link'), env).set({ key1: 'a' });
  expect(await new SecretStore(project, env).get('key1')).toBe('a');
  expect(await new SecretStore(home, env).get('key1')).toBeUndefined();
});

it('loses nothing when many write at once', async () => {
  const { env, project } = await place();
  const keys = Array.from({ length: 20 }, (_, i) => `k${i}`);
  await Promise.all(keys.map((key) => new SecretStore(project, env).set({ [key]: key })));
  expect((await new SecretStore(project, env).list()).own).toEqual(keys.sort());
});

it("finds digdag's, after the project's own", async () => {
  const { env, project } = await place({
    'config/digdag/config':
      '# secrets.no = 1\nsecrets.a = from config \\\n  line\nsecrets.b.c=x=y\nparams.d = 1\nsecrets.u : \\u00e9\\t!\n',
    'config/digdag/secrets/file.key': 'from file',
  });
  const store = new SecretStore(project, env);
  expect(await store.get('a')).toBe('from config line');
  expect(await store.get('b.c')).toBe('x=y');
  expect(await store.get('u')).toBe('é\t!');
  expect(await store.get('file.key')).toBe('from file');
  expect(await store.get('d')).toBeUndefined();
  expect(await store.get('../secrets/file.key')).toBeUndefined();
  await store.set({ a: 'own' });
  expect(await store.get('a')).toBe('own');
  expect(await store.list()).toEqual({ own: ['a'], digdag: ['b.c', 'file.key', 'u'] });
});

it('says which file is broken, and overwrites nothing', async () => {
  const { env, project } = await place();
  const store = new SecretStore(project, env);
  await store.set({ a: '1' });
  writeFileSync(store.path, '{torn');
  await expect(new SecretStore(project, env).set({ b: '2' })).rejects.toThrow(store.path);
  expect(await readFile(store.path, 'utf8')).toBe('{torn');
});
