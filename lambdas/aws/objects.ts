import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import type { Value } from '../../lib/language/workflow.ts';
import type { ReadReference } from '../launch/references.ts';
import type { ReadRecord } from '../launch/replay.ts';
import { type Environment, optional } from './settings.ts';

/** Bytes; a larger value is shown to a template as its reference. */
const LARGEST = 16 * 1024 * 1024;

export function s3Client(env: Environment = process.env): S3Client {
  // Another endpoint than Amazon's seldom has a host name for each bucket.
  const elsewhere = optional('AWS_ENDPOINT_URL_S3', env) ?? optional('AWS_ENDPOINT_URL', env);
  return new S3Client({ forcePathStyle: elsewhere !== undefined });
}

/** `s3://bucket/key`, where the key stands as it is, not percent-encoded; undefined for anything else. */
export function parseUri(uri: string): { readonly Bucket: string; readonly Key: string } | undefined {
  const [, Bucket, Key] = /^s3:\/\/([^/]+)\/(.+)$/s.exec(uri) ?? [];
  return Bucket === undefined || Key === undefined ? undefined : { Bucket, Key };
}

/** JSON objects of the project's bucket, by URI. No other bucket is ever asked: an address may come from an execution's input. */
export class Objects {
  readonly #client: S3Client;
  readonly bucket: string;

  constructor(client: S3Client, bucket: string) {
    this.#client = client;
    this.bucket = bucket;
  }

  /** Undefined where there is none, or what is there is no JSON. Other faults (permission, network) are thrown. */
  async read(uri: string): Promise<Value | undefined> {
    const bytes = await this.bytes(uri);
    try {
      return JSON.parse(bytes?.toString('utf8') ?? '') as Value;
    } catch {
      return undefined;
    }
  }

  /** Undefined where there is none. */
  async bytes(uri: string): Promise<Buffer | undefined> {
    const place = parseUri(uri);
    if (place === undefined || place.Bucket !== this.bucket) return undefined;
    try {
      const { Body } = await this.#client.send(new GetObjectCommand(place));
      return Buffer.from((await Body?.transformToByteArray()) ?? []);
    } catch (error) {
      if ((error as Error).name === 'NoSuchKey') return undefined;
      throw error;
    }
  }

  async write(uri: string, value: object): Promise<void> {
    const place = parseUri(uri);
    if (place === undefined || place.Bucket !== this.bucket) {
      throw new Error(`Expected an address in the bucket ${this.bucket}, got ${uri}`);
    }
    const Body = JSON.stringify(value);
    await this.#client.send(new PutObjectCommand({ ...place, Body, ContentType: 'application/json' }));
  }

  /** Records of finished tasks below an attempt's root. */
  readonly record: ReadRecord = (root, path) => this.read(`${root}/${path}`);

  /** Values by reference for templates: JSON alone, below `values/` of one of the attempts, for a reference may come from an input. */
  references(roots: readonly string[]): ReadReference {
    return async (reference) => {
      const uri = reference['trowel:ref'];
      if (reference.kind !== 'json' || reference.bytes > LARGEST) return undefined;
      return roots.some((root) => uri.startsWith(`${root}/values/`)) ? this.read(uri) : undefined;
    };
  }
}
