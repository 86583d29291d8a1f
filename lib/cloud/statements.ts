/** Statements of roles that several of the constructs write. */
import type { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Bucket } from 'aws-cdk-lib/aws-s3';
import type { Asset } from 'aws-cdk-lib/aws-s3-assets';
import { attemptPath } from '../contract/names.ts';
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

/** Whether a role has room for the ARNs of these names, each `times` times; if not, it gets the prefix of the names. */
export function listable(names: readonly string[], times = 1): boolean {
  return names.reduce((sum, name) => sum + ARN + name.length, 0) * times <= ROOM;
}

/** Objects of a bucket, and its key if it has one. `asked`: whether they may be missing, so that a 404 must differ from a 403. */
export function objects(bucket: Bucket, actions: string[], resource: string, asked = true): PolicyStatement[] {
  return [
    allow(actions, [resource]),
    // S3 answers 403 and not 404 for what is not there, unless the bucket may be listed.
    ...(asked ? [allow(['s3:ListBucket'], [bucket.bucketArn])] : []),
    ...useBucketKey(bucket, actions.includes('s3:PutObject')),
  ];
}

function useBucketKey({ encryptionKey: key }: Bucket, writes: boolean): PolicyStatement[] {
  const actions = writes ? ['kms:Decrypt', 'kms:GenerateDataKey'] : ['kms:Decrypt'];
  return key === undefined ? [] : [allow(actions, [key.keyArn])];
}

/**
 * Of a workflow's tasks: its values, those of earlier attempts too, and the records of its own results. Not whether an object is there: who may
 * list the bucket sees every workflow's.
 */
export function ownObjects(bucket: Bucket, workflow: string): PolicyStatement[] {
  const below = (folder: string): string => bucket.arnForObjects(`attempts/${attemptPath(workflow, '*')}/${folder}/*`);
  return [
    // A large value goes up in parts, and those of a failed upload are taken back.
    allow(['s3:GetObject', 's3:PutObject', 's3:AbortMultipartUpload'], [below('values')]),
    // The record of a success is taken back where the task ended too late.
    allow(['s3:PutObject', 's3:DeleteObject'], [below('results')]),
    ...useBucketKey(bucket, true),
  ];
}

/** What began before a deploy needs an earlier bundle: any archive next to this one. */
export function everyBundle({ bucket, s3ObjectKey }: Asset): string {
  return bucket.arnForObjects(`${s3ObjectKey.slice(0, s3ObjectKey.lastIndexOf('/') + 1)}*.zip`);
}
