/** The project's bucket: values, results and logs of attempts, and the assignments of running tasks. */
import type { RemovalPolicy } from 'aws-cdk-lib';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { Bucket } from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import { ASSIGNMENTS } from '../contract/assignment-file.ts';
import { cdk, s3 } from './cdk.ts';
import type { LoadedProject } from './load-project.ts';
import { longestWait } from './states.ts';

export interface BucketProps {
  readonly project: LoadedProject;
  readonly encryptionKey: IKey | undefined;
  readonly removalPolicy: RemovalPolicy;
}

export function makeBucket(scope: Construct, props: BucketProps): Bucket {
  const { removalPolicy } = props;
  const { config } = props.project;
  return new s3.Bucket(scope, 'Bucket', {
    blockPublicAccess: s3.BlockPublicAccess.BLOCK_ALL,
    enforceSSL: true,
    minimumTLSVersion: 1.2,
    objectOwnership: s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
    ...(props.encryptionKey === undefined
      ? { encryption: s3.BucketEncryption.S3_MANAGED }
      : { encryption: s3.BucketEncryption.KMS, encryptionKey: props.encryptionKey, bucketKeyEnabled: true }),
    lifecycleRules: [
      { id: 'assignments', prefix: ASSIGNMENTS, expiration: cdk.Duration.days(assignmentDays(props.project)) },
      { id: 'attempts', prefix: 'attempts/', expiration: cdk.Duration.days(longest(config.retention)) },
      { id: 'uploads', abortIncompleteMultipartUploadAfter: cdk.Duration.days(7) },
    ],
    removalPolicy,
    ...(removalPolicy === cdk.RemovalPolicy.DESTROY && { autoDeleteObjects: true }),
  });
}

/** Assignments hold task tokens. They are kept a day longer than the longest state may wait for one, because S3 counts whole days. */
function assignmentDays({ machines }: LoadedProject): number {
  const seconds = machines.map(({ machine }) => longestWait(machine));
  return Math.ceil(Math.max(86_400, ...seconds) / 86_400) + 1;
}

/** Results, by which a failed attempt is resumed, are next to the values and of no use without them. */
function longest({ values, history }: { readonly values: number; readonly history: number }): number {
  return Math.max(values, history);
}
