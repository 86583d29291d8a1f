import { PublishCommand, SNSClient } from '@aws-sdk/client-sns';
import { checkVersion } from '../../lib/expression/protocol.ts';
import { render, renderText } from '../../lib/expression/render.ts';
import type { Payload, StoreResult } from '../../lib/expression/wire.ts';
import { withValues } from '../aws/attempts.ts';
import { bundleFiles } from '../aws/bundle.ts';
import { retriable } from '../aws/faults.ts';
import { logger } from '../aws/logger.ts';
import { Objects, s3Client } from '../aws/objects.ts';
import { once } from '../aws/recorded.ts';
import { DeployedSecrets, missingSecret } from '../aws/secrets.ts';
import { optional, setting } from '../aws/settings.ts';
import { remount } from '../http/secrets.ts';
import { type NotifyServices, notify } from './core.ts';

let clients: ReturnType<typeof makeClients> | undefined;

/** Invoked by the state of a mail>, slack> or notify>. */
export const handler = retriable(async (event: Payload): Promise<StoreResult> => {
  checkVersion(event);
  clients ??= makeClients();
  const { objects, secrets, files, sns } = clients;
  const slack = optional('TROWEL_SLACK_SECRET');
  const TopicArn = optional('TROWEL_TOPIC');
  const services: NotifyServices = {
    render,
    renderText,
    files,
    secret: (key, mounts) => secrets.get(remount(key, mounts)),
    missingSecret,
    log: (line) => logger.info(line, { task: event.t }),
    notifications: slack === undefined ? {} : { slack },
    ...(TopicArn === undefined
      ? {}
      : {
          publish: async (Subject, Message) => {
            await sns.send(new PublishCommand({ TopicArn, Subject, Message }));
          },
        }),
  };
  return once(event, objects, () => withValues(event, objects, (payload) => notify(payload, services)));
});

function makeClients() {
  const s3 = s3Client();
  const bucket = setting('TROWEL_BUCKET');
  return {
    objects: new Objects(s3, bucket),
    secrets: new DeployedSecrets(setting('TROWEL_SECRET_PREFIX')),
    files: bundleFiles(s3, { Bucket: bucket, Key: setting('TROWEL_BUNDLE') }),
    sns: new SNSClient({}),
  };
}
