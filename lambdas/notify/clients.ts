import type { S3Client } from '@aws-sdk/client-s3';
import { SFNClient } from '@aws-sdk/client-sfn';
import { PublishCommand, SNSClient } from '@aws-sdk/client-sns';
import { present } from '../../lib/asl/present.ts';
import { consoleLink } from '../../lib/contract/console-link.ts';
import { ERRORS, TrowelError } from '../../lib/contract/errors.ts';
import { logLink, logStream } from '../../lib/contract/log-stream.ts';
import { seen } from '../../lib/expression/mask.ts';
import { slackMessage } from '../../lib/functions/notify/blocks.ts';
import type { Channel } from '../../lib/functions/notify/delivery.ts';
import type { ExecutionServices, Occasion } from '../../lib/functions/notify/execution-ended.ts';
import { plainText, subjectLine } from '../../lib/functions/notify/plain-text.ts';
import { postToSlack } from '../../lib/functions/notify/slack.ts';
import { executionReader } from '../aws/executions.ts';
import { logger } from '../aws/logger.ts';
import { bucketMarks } from '../aws/marks.ts';
import { Objects, s3Client } from '../aws/objects.ts';
import { DeployedSecrets, missingSecret } from '../aws/secrets.ts';
import { deployedReach, optional, setting } from '../aws/settings.ts';

export interface Clients {
  readonly s3: S3Client;
  readonly sfn: SFNClient;
  readonly objects: Objects;
  readonly secrets: DeployedSecrets;
  /** To the project's topic. */
  readonly publish?: (subject: string, message: string) => Promise<void>;
}

export function makeClients(): Clients {
  const s3 = s3Client();
  const sns = new SNSClient({});
  const TopicArn = optional('TROWEL_TOPIC');
  const publish = async (Subject: string, Message: string): Promise<void> => {
    await sns.send(new PublishCommand({ TopicArn, Subject, Message }));
  };
  return {
    s3,
    sfn: new SFNClient({}),
    objects: new Objects(s3, setting('TROWEL_BUCKET')),
    secrets: new DeployedSecrets(setting('TROWEL_SECRET_PREFIX')),
    ...present({ publish: TopicArn !== undefined ? publish : undefined }),
  };
}

/** Slack, if the project has a webhook; the topic. */
export function channelsOf({ secrets, publish }: Clients): Channel[] {
  const key = optional('TROWEL_SLACK_SECRET');
  const channels: Channel[] = [];
  if (key !== undefined) {
    const send: Channel['send'] = async (report) => {
      const webhook = await secrets.get(key);
      if (webhook === undefined) throw new TrowelError(ERRORS.secret, missingSecret(key));
      seen.add(webhook);
      const log = (line: string): void => logger.info(line);
      const redact = (text: string): string => seen.mask(text);
      await postToSlack(webhook, slackMessage(report), { redact }, { log, reach: deployedReach() });
    };
    channels.push({ name: 'slack', send });
  }
  if (publish !== undefined) {
    channels.push({ name: 'topic', send: (report) => publish(subjectLine(report.title), plainText(report)) });
  }
  return channels;
}

/** The stream of a task's container. */
function containerLog(taskArn: string): string {
  const stream = logStream(taskArn, setting('TROWEL_CONTAINER'), setting('TROWEL_LOG_PREFIX'));
  return logLink(stream, setting('TROWEL_LOG_GROUP'), setting('AWS_REGION'));
}

export function executionServices(clients: Clients, owner: string): ExecutionServices {
  const { objects, s3, sfn } = clients;
  const occasions = (optional('TROWEL_NOTIFY_ON') ?? '').split(',').filter((one) => one !== '') as Occasion[];
  const links = optional('TROWEL_NOTIFY_LINKS') !== 'false';
  return {
    project: setting('TROWEL_PROJECT'),
    on: new Set(occasions),
    consoleLink: (arn) => (links ? consoleLink(arn) : undefined),
    logLink: (taskArn) => (links ? containerLog(taskArn) : undefined),
    ...executionReader(sfn),
    // An address in a cause is read only if the runner writes there for this attempt, because a cause comes from user code.
    read: async (uri, attempt) => {
      const folder = `s3://${objects.bucket}/attempts/${attempt}/values/`;
      return uri.startsWith(folder) && /^[0-9a-f]+\.traceback\.txt$/.test(uri.slice(folder.length))
        ? (await objects.bytes(uri).catch(() => undefined))?.toString('utf8')
        : undefined;
    },
    marks: bucketMarks(s3, setting('TROWEL_BUCKET'), owner),
    channels: channelsOf(clients),
  };
}
