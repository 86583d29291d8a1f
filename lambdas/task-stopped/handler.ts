import { present } from '../../lib/asl/present.ts';
import { logLink, logStream } from '../../lib/contract/log-stream.ts';
import { type Handled, taskStopped } from '../../lib/functions/task-stopped/core.ts';
import type { StoppedTask } from '../../lib/functions/task-stopped/reasons.ts';
import { logger } from '../aws/logger.ts';
import { Objects, s3Client } from '../aws/objects.ts';
import { optional, setting } from '../aws/settings.ts';
import { DeployedTokens } from '../aws/task-tokens.ts';

let clients: { objects: Objects; tokens: DeployedTokens } | undefined;

/** Invoked by EventBridge with "ECS Task State Change". What it throws is tried again by the service. */
export async function handler(event: { readonly region?: string; readonly detail: StoppedTask }): Promise<Handled> {
  clients ??= { objects: new Objects(s3Client(), setting('TROWEL_BUCKET')), tokens: new DeployedTokens() };
  const { objects, tokens } = clients;
  const group = optional('TROWEL_LOG_GROUP');
  const prefix = optional('TROWEL_LOG_PREFIX');
  const region = event.region ?? setting('AWS_REGION');
  const handled = await taskStopped(event.detail, {
    bucket: objects.bucket,
    read: (uri) => objects.read(uri),
    fail: (token, error, failure) => tokens.fail(token, error, failure),
    ...present({
      log:
        group !== undefined && prefix !== undefined
          ? (task: string, container: string) => logLink(logStream(task, container, prefix), group, region)
          : undefined,
    }),
  });
  logger.info('told' in handled ? 'told the state' : 'nothing to tell', { taskArn: event.detail.taskArn, ...handled });
  return handled;
}
