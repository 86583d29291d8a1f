/**
 * Executions that began before a deploy send what they were compiled to send. The payloads in `recorded/` are those that a workflow with
 * each kind of task sent when their version was current: never change them, add a file when lib/contract/payload.ts counts PROTOCOL up.
 * The compute and the services of the functions are played.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Job } from '../../../lib/contract/assignment.ts';
import { type LaunchPayload, type Payload, PROTOCOL, type SessionPayload } from '../../../lib/contract/payload.ts';
import { checkVersion } from '../../../lib/contract/protocol.ts';
import { render } from '../../../lib/expression/render.ts';
import { evaluate } from '../../../lib/functions/evaluate/core.ts';
import { launch } from '../../../lib/functions/launch/core.ts';
import { session } from '../../../lib/functions/session/core.ts';

const FOLDER = join(import.meta.dirname, 'recorded');

interface Recorded {
  readonly session: SessionPayload;
  readonly 'launch py': LaunchPayload;
  readonly 'launch sh': LaunchPayload;
  readonly 'evaluate for_each': Payload;
  readonly http: Payload;
  readonly notify: Payload;
}

function recorded(version: number): Recorded {
  return JSON.parse(readFileSync(join(FOLDER, `payloads-v${version}.json`), 'utf8'));
}

/** What the compute is given. */
async function started(payload: LaunchPayload): Promise<Job> {
  const jobs: Job[] = [];
  const compute = {
    offer: async () => false,
    start: async (job: Job) => {
      jobs.push(job);
      return {};
    },
    stop: async () => {},
  };
  await launch(payload, { render, compute, results: async () => undefined });
  const [job] = jobs;
  if (job === undefined) throw new Error('nothing was started');
  return job;
}

describe.each(Array.from({ length: PROTOCOL }, (_, i) => i + 1))('a payload of version %i', (version) => {
  const payloads = recorded(version);

  it('is understood by session', async () => {
    expect(await session(payloads.session)).toMatchObject({
      params: { days: [1, 2] },
      b: { vars: { session_date: '2030-01-01' }, attempt: { root: 'attempts/run-1', workflow: 'main' } },
    });
  });

  it('is understood by launch', async () => {
    expect(await started(payloads['launch py'])).toMatchObject({
      token: 'the-token',
      secrets: ['pg.password'],
      assignment: {
        task: '+main+load',
        operator: 'py',
        params: { path: 's3://x/sales_eu/2030-01-01', region: 'eu', days: [1, 2] },
        env: { LEVEL: 'info', PASSWORD: '${secret:pg.password}' },
        result: 's3://trowel-test/attempts/run-1/results/+main+load.0.json',
      },
    });
    expect(await started(payloads['launch sh'])).toMatchObject({
      assignment: { task: '+main+each^sub+for-0=day=0=2+x', params: { 'sh>': 'echo 2', rows: 3 } },
    });
  });

  it('is understood by evaluate', async () => {
    expect(await evaluate(payloads['evaluate for_each'])).toMatchObject({
      items: [{ x: { day: 2 } }, { x: { day: 3 } }],
    });
  });

  it('is taken by http and notify', () => {
    for (const payload of [payloads.http, payloads.notify]) expect(() => checkVersion(payload)).not.toThrow();
  });
});

it('there are no recordings of versions to come', () => {
  expect(readdirSync(FOLDER).filter((name) => name.startsWith('payloads-'))).toHaveLength(PROTOCOL);
});

describe('a payload of a version to come', () => {
  const later = <P extends object>(payload: P): P => ({ ...payload, v: PROTOCOL + 1 });
  const payloads = recorded(PROTOCOL);
  it.each<[string, () => Promise<unknown>]>([
    ['session', () => session(later(payloads.session))],
    ['launch', () => started(later(payloads['launch py']))],
    ['evaluate', () => evaluate(later(payloads['evaluate for_each']))],
  ])('is refused by %s, which names both versions', async (_, call) => {
    await expect(call()).rejects.toMatchObject({
      name: 'Trowel.BadInput',
      message: expect.stringContaining(`version 1 to ${PROTOCOL}, got ${PROTOCOL + 1}`),
    });
  });
});
