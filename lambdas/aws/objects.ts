import {
  CopyObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  type PutObjectCommandInput,
  S3Client,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import type { Payload } from '../../lib/contract/payload.ts';
import { rootsOf, type ValueFiles, type Values, valuesIn } from '../../lib/contract/values.ts';
import type { ReadRecord } from '../../lib/functions/launch/replay.ts';
import type { Value } from '../../lib/language/workflow.ts';
import { bringValues, placeBefore } from './earlier-place.ts';
import { type Environment, optional } from './settings.ts';

/** Seconds that Signature Version 4 allows. */
const LONGEST = 604_800;

/** S3's errors if the condition of a PUT is not met. */
export const TAKEN: readonly string[] = ['PreconditionFailed', 'ConditionalRequestConflict'];

export function s3Client(env: Environment = process.env): S3Client {
  // Another endpoint than Amazon's seldom has a host name for each bucket.
  const elsewhere = optional('AWS_ENDPOINT_URL_S3', env) ?? optional('AWS_ENDPOINT_URL', env);
  return new S3Client({ forcePathStyle: elsewhere !== undefined });
}

/** `s3://bucket/key`, with the key as it is, not percent-encoded; undefined for anything else. */
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
    await this.#put(uri, JSON.stringify(value));
  }

  /** The value that is there then: `value`, or one that was written before. */
  async writeOnce(uri: string, value: object): Promise<Value> {
    for (;;) {
      try {
        await this.#put(uri, JSON.stringify(value), { IfNoneMatch: '*' });
        return value as Value;
      } catch (error) {
        if (!TAKEN.includes((error as Error).name)) throw error;
      }
      const found = await this.read(uri);
      if (found !== undefined) return found;
    }
  }

  /** A signed address with which anybody can read an object for `seconds`, but no longer than this process's credentials are valid. */
  address(uri: string, seconds: number): Promise<string> {
    return getSignedUrl(this.#client, new GetObjectCommand(this.#own(uri)), { expiresIn: Math.min(seconds, LONGEST) });
  }

  /** JSON text. */
  async #put(
    uri: string,
    Body: string | Buffer,
    condition: Pick<PutObjectCommandInput, 'IfNoneMatch'> = {},
  ): Promise<void> {
    await this.#client.send(
      new PutObjectCommand({ ...this.#own(uri), Body, ContentType: 'application/json', ...condition }),
    );
  }

  /** Within the bucket. What is there already is left as it is: values are named by their content. */
  async #copy(from: string, to: string): Promise<void> {
    const target = this.#own(to);
    try {
      await this.#client.send(new HeadObjectCommand(target));
      return;
    } catch (error) {
      if ((error as Error).name !== 'NotFound') throw error;
    }
    const { Bucket, Key } = this.#own(from);
    const CopySource = `${Bucket}/${Key.split('/').map(encodeURIComponent).join('/')}`;
    try {
      await this.#client.send(new CopyObjectCommand({ ...target, CopySource }));
    } catch (error) {
      // One that has expired is missed by the task that reads it, if one does.
      if ((error as Error).name !== 'NoSuchKey') throw error;
    }
  }

  #own(uri: string): { readonly Bucket: string; readonly Key: string } {
    const place = parseUri(uri);
    if (place !== undefined && place.Bucket === this.bucket) return place;
    throw new Error(`Expected an address in the bucket ${this.bucket}, got ${uri}`);
  }

  /** Records of finished tasks of the attempt of `payload` and of those that it resumes. */
  records(payload: Payload): ReadRecord {
    const [own, ...resumed] = rootsOf(payload);
    return async (root, path) => {
      const record = await this.read(`${root}/${path}`);
      const before = placeBefore(root);
      if (record !== undefined || root === own || before === undefined) return record;
      const old = await this.read(`${before}/${path}`);
      const copy = (from: string, to: string): Promise<void> => this.#copy(from, to);
      if (old !== undefined) await bringValues(old, resumed, { bytes: (uri) => this.bytes(uri), copy });
      return old;
    };
  }

  /** Values of the payload's attempt and of those that it continues. */
  values(payload: Pick<Payload, 'b'>): Values {
    return valuesIn(this.#valueFiles, rootsOf(payload));
  }

  readonly #valueFiles: ValueFiles = {
    read: async (root, name) => {
      try {
        const found = await this.bytes(`${root}/values/${name}`);
        const before = found === undefined ? placeBefore(root) : undefined;
        return before === undefined ? found : await this.bytes(`${before}/values/${name}`);
      } catch (error) {
        // An object that may not be read counts as absent: another attempt may have it.
        if (['AccessDenied', 'Forbidden'].includes((error as Error).name)) return undefined;
        throw error;
      }
    },
    write: (root, name, content) => this.#put(`${root}/values/${name}`, content),
  };
}
