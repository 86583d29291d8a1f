/**
 * Least privilege, exercised: the quickstart runs on the small AWS, and each statement of a role that it has used is then taken away, by
 * itself and without a deploy: it was needed. Time is 30 times as fast. What is played, test/cloud/aws/service.ts says.
 */
import { join } from 'node:path';
import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { StartExecutionCommand } from '@aws-sdk/client-sfn';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Sink, serve } from '../../lib/functions/http/server.ts';
import { ROOT } from '../aws/deploy.ts';
import { fastClock } from '../aws/fast-clock.ts';
import { REGION } from '../aws/service.ts';
import { type SmallAws, startSmallAws } from '../aws/small-aws.ts';
import type { Run } from '../aws/step-functions.ts';
import type { DeployedStack } from '../aws/template.ts';

let aws: SmallAws;
let stack: DeployedStack;
let web: Sink;

beforeAll(async () => {
  web = await serve();
  aws = await startSmallAws({ clock: fastClock(30), containerEnv: { TROWEL_HEARTBEAT: '0.7' }, unpackOnce: true });
  stack = await aws.deploy(join(ROOT, 'examples', 'quickstart'));
  const secrets = new SecretsManagerClient({
    ...{ endpoint: aws.url, region: REGION },
    credentials: { accessKeyId: 'test', secretAccessKey: 'x' },
  });
  await secrets.send(new CreateSecretCommand({ Name: 'trowel/quickstart/report.webhook', SecretString: web.url }));
  secrets.destroy();
});
afterAll(async () => {
  await aws?.stop();
  await web?.close();
});

async function sendReport(): Promise<Run> {
  const request = new StartExecutionCommand({ stateMachineArn: stack.outputs.Workflowsendreport, input: '{}' });
  const { executionArn = '' } = await aws.sfn.send(request);
  const run = await aws.executions.ended(executionArn);
  await expect.poll(() => aws.containers.running().length, { timeout: 60_000 }).toBe(0);
  await aws.events.idle();
  return run;
}

/** A run in which nothing was tried again, as on a busy machine: a further try asks for what the first one need not. */
async function undisturbed(): Promise<Run> {
  for (;;) {
    aws.iam.forget();
    const run = await sendReport();
    if (!run.events.some(({ type }) => type === 'TaskFailed' || type === 'TaskTimedOut')) return run;
  }
}

/**
 * Statements that a run does without: what is told of a container that has answered before it stopped (test/cloud/aws/slow/fargate.test.ts and
 * faults.test.ts have those that need it).
 */
const BESIDE = /Functiontaskstopped/;

describe('least privilege', { timeout: 600_000 }, () => {
  it('every statement that the quickstart uses is needed', async () => {
    const whole = await undisturbed();
    expect(whole.outcome).toMatchObject({ status: 'SUCCEEDED' });
    expect(aws.proxy.refused).toEqual([]);
    const used = [...aws.iam.used()].sort();
    expect(used.length).toBeGreaterThan(8);
    const unneeded: string[] = [];
    for (const id of used.filter((each) => !BESIDE.test(each))) {
      const before = aws.proxy.refused.length;
      await aws.containers.forgetBundles();
      const restore = aws.iam.without(id);
      const { outcome } = await sendReport();
      restore();
      const refused = aws.proxy.refused.slice(before);
      const role = aws.iam.roles().find((each) => id.startsWith(`${each.id}/`))?.name;
      // What is not allowed is no matter of time: it is not tried again.
      const later = /Throttled|NoCapacity|TaskLost|Timeout/.test(
        outcome?.status === 'FAILED' ? (outcome.error ?? '') : '',
      );
      if (outcome?.status !== 'FAILED' || later || !refused.some((each) => each.role === role))
        unneeded.push(`${id}: ${JSON.stringify(outcome)}, refused ${JSON.stringify(refused)}`);
    }
    expect(unneeded.join('\n')).toBe('');
    expect((await sendReport()).outcome).toMatchObject({ status: 'SUCCEEDED' });
  });
});
