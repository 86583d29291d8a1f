import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { asking } from './aws-fault.ts';
import { type Connection, clientOptions } from './connection.ts';
import type { ReportParts } from './reports.ts';

/** S3's errors if there is nothing to read: no object of that name, no byte after the last. */
const NOTHING: readonly string[] = ['NoSuchKey', 'InvalidRange'];

export function connectReports(connection: Connection): ReportParts {
  // Another endpoint than Amazon's seldom has a host name for each bucket.
  const elsewhere = process.env.AWS_ENDPOINT_URL_S3 ?? process.env.AWS_ENDPOINT_URL;
  const client = new S3Client({ ...clientOptions(connection), forcePathStyle: elsewhere !== undefined });
  return {
    read(uri, from): Promise<Buffer | undefined> {
      const [, Bucket, Key] = /^s3:\/\/([^/]+)\/(.+)$/s.exec(uri) ?? [];
      return asking('s3:GetObject', async () => {
        try {
          const { Body } = await client.send(new GetObjectCommand({ Bucket, Key, Range: `bytes=${from}-` }));
          return Buffer.from((await Body?.transformToByteArray()) ?? []);
        } catch (error) {
          if (NOTHING.includes((error as Error).name)) return undefined;
          throw error;
        }
      });
    },
  };
}
