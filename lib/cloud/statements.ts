/** Statements of roles that several of the constructs write. */
import type { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Bucket } from 'aws-cdk-lib/aws-s3';
import type { Asset } from 'aws-cdk-lib/aws-s3-assets';
import { iam } from './cdk.ts';

export function allow(actions: string[], resources: string[]): PolicyStatement {
  return new iam.PolicyStatement({ actions, resources });
}

/** A token is the right itself: these actions know no resources. */
export function answers(...actions: string[]): PolicyStatement {
  return new iam.PolicyStatement({ actions, resources: ['*'] });
}

/** Characters of ARNs in a role, whose policies may have 10,240 in all; and of one before its name. */
const ROOM = 6_000;
const ARN = 62;

/** Whether a role may list so many ARNs, each `times`, by these names; beyond that what their names begin with has to do. */
export function listable(names: readonly string[], times = 1): boolean {
  return names.reduce((sum, name) => sum + ARN + name.length, 0) * times <= ROOM;
}

/** Objects of a bucket, and its key if it has one. `asked`: whether they may be missing, and a 404 must be told from a 403. */
export function objects(bucket: Bucket, actions: string[], resource: string, asked = true): PolicyStatement[] {
  const key = bucket.encryptionKey;
  const writes = actions.includes('s3:PutObject');
  return [
    allow(actions, [resource]),
    // S3 answers 403 and not 404 for what is not there, unless the bucket may be listed.
    ...(asked ? [allow(['s3:ListBucket'], [bucket.bucketArn])] : []),
    ...(key === undefined
      ? []
      : [allow(writes ? ['kms:Decrypt', 'kms:GenerateDataKey'] : ['kms:Decrypt'], [key.keyArn])]),
  ];
}

/** What began before a deploy needs an earlier bundle: any archive beside this one. */
export function everyBundle({ bucket, s3ObjectKey }: Asset): string {
  return bucket.arnForObjects(`${s3ObjectKey.slice(0, s3ObjectKey.lastIndexOf('/') + 1)}*.zip`);
}
