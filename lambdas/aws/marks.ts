import { GetObjectCommand, PutObjectCommand, type PutObjectCommandInput, type S3Client } from '@aws-sdk/client-s3';
import type { Claim, Marks } from '../../lib/functions/notify/delivery.ts';
import { TAKEN } from './objects.ts';

/** What a mark holds. */
interface Mark {
  /** The invocation that reports it; null once it has given up. */
  readonly owner: string | null;
  readonly delivered: readonly string[];
  /** Milliseconds. */
  readonly at: number;
}

/** Milliseconds after which an invocation that has said nothing is dead: the longest that a function may run. */
const LIFE = 900_000;

/**
 * Marks are objects below an attempt's folder, made by a PUT that only the first can win, and taken over by one that only the first can
 * win. Lambda tries an event again under the same request id, which is the owner: so one that died in the middle is gone on with.
 */
export function bucketMarks(client: S3Client, bucket: string, owner: string, now: () => number = Date.now): Marks {
  const place = (attempt: string, key: string) => ({ Bucket: bucket, Key: `attempts/${attempt}/notified/${key}.json` });
  type Place = ReturnType<typeof place>;

  /** False where the condition is not met. */
  async function write(at: Place, mark: Mark, condition: Pick<PutObjectCommandInput, 'IfMatch' | 'IfNoneMatch'> = {}) {
    try {
      const Body = JSON.stringify(mark);
      await client.send(new PutObjectCommand({ ...at, Body, ContentType: 'application/json', ...condition }));
      return true;
    } catch (error) {
      if (TAKEN.includes((error as Error).name)) return false;
      throw error;
    }
  }

  async function read(at: Place): Promise<{ readonly mark: Mark; readonly ETag: string | undefined } | undefined> {
    try {
      const { Body, ETag } = await client.send(new GetObjectCommand(at));
      return { mark: JSON.parse((await Body?.transformToString()) ?? 'null') as Mark, ETag };
    } catch (error) {
      if ((error as Error).name === 'NoSuchKey') return undefined;
      throw error;
    }
  }

  function claimOf(at: Place, before: readonly string[]): Claim {
    const delivered = new Set(before);
    const note = (by: string | null): Promise<boolean> =>
      write(at, { owner: by, delivered: [...delivered], at: now() });
    return {
      delivered,
      done: async (channel) => {
        delivered.add(channel);
        await note(owner);
      },
      release: async () => void (await note(null)),
    };
  }

  return {
    claim: async (attempt, key) => {
      const at = place(attempt, key);
      if (await write(at, { owner, delivered: [], at: now() }, { IfNoneMatch: '*' })) return claimOf(at, []);
      const found = await read(at);
      if (found === undefined) return undefined;
      const { mark, ETag } = found;
      if (mark.owner === owner) return claimOf(at, mark.delivered);
      const free = mark.owner === null || (mark.delivered.length === 0 && now() - mark.at > LIFE);
      if (!free || !(await write(at, { ...mark, owner, at: now() }, { IfMatch: ETag }))) return undefined;
      return claimOf(at, mark.delivered);
    },
    taken: async (attempt, key) => {
      const { mark } = (await read(place(attempt, key))) ?? {};
      // One that has given up, or died, has not reported everything.
      return mark !== undefined && mark.owner !== null && mark.delivered.length > 0;
    },
  };
}
