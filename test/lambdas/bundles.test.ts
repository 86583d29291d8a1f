/** The functions as they are built. Covers build.mjs, lambdas/session/handler.ts, lambdas/evaluate/handler.ts. */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';

const DIST = join(import.meta.dirname, '..', '..', 'dist', 'lambdas');
const TASK = { v: 1, t: '+main+a', b: { vars: {}, attempt: { root: 's3://b/attempts/main/x', workflow: 'main' } } };

/** What each function's deployed file answers to an event that reaches no service; `error` is what a state machine would see. */
const FUNCTIONS: readonly { name: string; event: object; answer: object }[] = [
  {
    name: 'session',
    event: {
      v: 1,
      workflow: 'main',
      timezone: 'UTC',
      execution: {
        Id: 'arn:aws:states:eu-west-1:1:execution:p-main:run-1',
        Name: 'run-1',
        StartTime: '2030-01-31T00:00:00Z',
      },
      input: { params: { a: 1 }, resume_from: 'run-0' },
    },
    answer: {
      params: { a: 1 },
      b: { attempt: { root: 's3://b/attempts/main/run-1', resume: ['s3://b/attempts/main/run-0'], workflow: 'main' } },
    },
  },
  {
    name: 'evaluate',
    event: { ...TASK, op: 'echo', l: [{ n: 20 }], k: { 'echo>': '${moment("2030-01-31").format("YYYY") + n * 2}' } },
    answer: { text: '203040' },
  },
  {
    name: 'render',
    event: { ...TASK, op: 'keys', l: [{ n: 20 }], k: { a: '${n * 2}' } },
    answer: { k: { a: '40' } },
  },
  { name: 'launch', event: { v: 2 }, answer: { error: 'Trowel.BadInput' } },
  {
    name: 'task-stopped',
    event: { detail: { lastStatus: 'RUNNING' } },
    answer: { ignored: 'it is RUNNING' },
  },
  { name: 'http', event: { v: 2 }, answer: { error: 'Trowel.BadInput' } },
  { name: 'notify', event: {}, answer: { error: 'Trowel.BadInput' } },
];

const CALL = `
const { handler } = await import(process.argv[1]);
const answer = await handler(JSON.parse(process.argv[2])).catch(({ name: error, message }) => ({ error, message }));
console.log(JSON.stringify(answer));
`;

describe('the functions as they are deployed', () => {
  const folder = mkdtempSync(join(tmpdir(), 'trowel-functions-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  cpSync(DIST, folder, { recursive: true });

  it.each(FUNCTIONS)('$name answers far from the package', ({ name, event, answer }) => {
    const file = join(folder, name, 'index.mjs');
    const said = execFileSync(process.execPath, ['--input-type=module', '-e', CALL, file, JSON.stringify(event)], {
      cwd: folder,
      encoding: 'utf8',
      env: {
        AWS_REGION: 'us-east-1',
        TROWEL_BUCKET: 'b',
        TROWEL_BUNDLE: 'bundles/x.zip',
        TROWEL_SECRET_PREFIX: 'trowel/p/',
        POWERTOOLS_LOG_LEVEL: 'SILENT',
      },
    });
    expect(JSON.parse(said)).toMatchObject(answer);
  });
});
