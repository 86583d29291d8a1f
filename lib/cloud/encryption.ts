/**
 * A customer's key for bucket, logs, queue and topic: gives the right to use it to all that need it besides the roles with rights to
 * objects.
 */
import type { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { Construct } from 'constructs';
import { cdk, iam } from './cdk.ts';
import { allow } from './statements.ts';

/** For a role that sends to the encrypted queue or topic. */
export function useKey(key: IKey | undefined): PolicyStatement[] {
  return key === undefined ? [] : [allow(['kms:Decrypt', 'kms:GenerateDataKey'], [key.keyArn])];
}

/**
 * In the key's own policy: alarms that publish to the topic, rules that send to the queue, and the logs. A key of another stack that was
 * looked up cannot be changed: its owner says the same there (docs/own-app.md).
 */
export function letServicesUse(scope: Construct, key: IKey | undefined): void {
  const { account, partition, region } = cdk.Stack.of(scope);
  key?.addToResourcePolicy(
    new iam.PolicyStatement({
      principals: ['cloudwatch', 'events'].map((service) => new iam.ServicePrincipal(`${service}.amazonaws.com`)),
      actions: ['kms:Decrypt', 'kms:GenerateDataKey*'],
      resources: ['*'],
      conditions: { StringEquals: { 'aws:SourceAccount': account } },
    }),
  );
  key?.addToResourcePolicy(
    new iam.PolicyStatement({
      principals: [new iam.ServicePrincipal(`logs.${region}.amazonaws.com`)],
      actions: ['kms:Decrypt*', 'kms:Describe*', 'kms:Encrypt*', 'kms:GenerateDataKey*', 'kms:ReEncrypt*'],
      resources: ['*'],
      conditions: {
        ArnLike: { 'kms:EncryptionContext:aws:logs:arn': `arn:${partition}:logs:${region}:${account}:log-group:*` },
      },
    }),
  );
}
