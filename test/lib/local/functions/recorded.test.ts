import { expect, it } from 'vitest';
import type { Json } from '../../../../lib/asl/types.ts';
import type { Payload } from '../../../../lib/contract/payload.ts';
import type { LocalFunction } from '../../../../lib/local/functions/invoke.ts';
import { recorded } from '../../../../lib/local/functions/recorded.ts';
import { RunSecrets } from '../../../../lib/local/run/run-secrets.ts';
import { payload } from '../../functions/http/plain-render.ts';
import { temporary } from '../temporary.ts';

const call = { resource: '', arguments: {}, stateName: '', retryCount: 0, executionArn: '', executionName: '' };

it('what acts on the world is done again where a secret that it used has changed, and only then', async () => {
  const folder = await temporary();
  const values: { [key: string]: string } = { token: 'one', other: 'one' };
  const secrets = new RunSecrets({ get: async (key) => values[key] }, { noteSecret: () => {} } as never);
  let done = 0;
  const act: LocalFunction = async () => ({ stored: { done: ++done }, used: ['token'] });
  const fn = recorded(act, (key, like) => secrets.version(key, like));
  const run = (attempt: number, ...earlier: number[]): Promise<Json> => {
    const [root = '', ...resume] = [attempt, ...earlier].map((each) => `${folder}/${each}`);
    const b = { vars: {}, attempt: { root, workflow: 'main', resume } };
    const given = payload('http', { 'http>': 'http://x' }, { b } as Partial<Payload>);
    return fn(given as unknown as Json, { ...call, signal: new AbortController().signal });
  };
  expect(await run(1)).toEqual({ stored: { done: 1 } });
  values.other = 'two';
  expect(await run(2, 1)).toEqual({ stored: { done: 1 }, replayed: true });
  values.token = 'two';
  expect(await run(3, 2, 1)).toEqual({ stored: { done: 2 } });
  expect(await run(4, 3, 2, 1)).toEqual({ stored: { done: 2 }, replayed: true });
});
