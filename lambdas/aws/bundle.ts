/** Single files of the project's bundle, a zip archive in S3, without fetching the whole: its directory, then the bytes of the file. */
import { posix } from 'node:path';
import { inflateRawSync } from 'node:zlib';
import { GetObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { badInput } from '../../lib/contract/errors.ts';
import type { ProjectFiles } from '../../lib/functions/project-files.ts';

/** Where a file's bytes are. */
interface Entry {
  readonly offset: number;
  readonly packed: number;
  /** 0 stored, 8 deflated. */
  readonly method: number;
}

interface Place {
  readonly Bucket: string;
  readonly Key: string;
}

/** Bytes of the archive's end that are read at once; its last record has 22 and a comment of at most 65,535. */
const TAIL = 66 * 1024;
/** Bytes of a file's local header, and room for its name and extra field. */
const HEADER = 30;

/** Files below `project/` in the archive. What was read of its directory is kept, for a bundle never changes under its name. */
export function bundleFiles(s3: S3Client, place: Place): ProjectFiles {
  let directory: Promise<ReadonlyMap<string, Entry>> | undefined;
  return {
    read: async (path, workdir) => {
      const name = posix.join('project', workdir, path);
      if (!name.startsWith('project/') || posix.isAbsolute(path))
        throw badInput(`File is outside the project: ${path}`);
      directory ??= readDirectory(s3, place).catch((error: unknown) => {
        directory = undefined;
        throw error;
      });
      const entry = (await directory).get(name);
      if (entry === undefined) throw badInput(`File not found: ${path}`);
      return readEntry(s3, place, entry);
    },
  };
}

async function readDirectory(s3: S3Client, place: Place): Promise<ReadonlyMap<string, Entry>> {
  const { bytes: tail, size } = await range(s3, place, `bytes=-${TAIL}`);
  const at = tail.lastIndexOf(Buffer.from('PK\x05\x06', 'latin1'));
  if (at < 0) throw new Error(`s3://${place.Bucket}/${place.Key} is no zip archive`);
  const length = tail.readUInt32LE(at + 12);
  const start = tail.readUInt32LE(at + 16);
  const within = start - (size - tail.length);
  const bytes =
    within >= 0
      ? tail.subarray(within, within + length)
      : (await range(s3, place, `bytes=${start}-${start + length - 1}`)).bytes;
  return entriesOf(bytes);
}

function entriesOf(bytes: Buffer): ReadonlyMap<string, Entry> {
  const entries = new Map<string, Entry>();
  for (let at = 0; at + 46 <= bytes.length && bytes.readUInt32LE(at) === 0x02014b50; ) {
    const [name, extra, comment] = [28, 30, 32].map((offset) => bytes.readUInt16LE(at + offset)) as [
      number,
      number,
      number,
    ];
    entries.set(bytes.toString('utf8', at + 46, at + 46 + name), {
      method: bytes.readUInt16LE(at + 10),
      packed: bytes.readUInt32LE(at + 20),
      offset: bytes.readUInt32LE(at + 42),
    });
    at += 46 + name + extra + comment;
  }
  return entries;
}

async function readEntry(s3: S3Client, place: Place, { offset, packed, method }: Entry): Promise<Buffer> {
  // The local header's name and extra field have lengths of their own.
  const { bytes: header } = await range(s3, place, `bytes=${offset}-${offset + HEADER - 1}`);
  const start = offset + HEADER + header.readUInt16LE(26) + header.readUInt16LE(28);
  if (packed === 0) return Buffer.alloc(0);
  const { bytes } = await range(s3, place, `bytes=${start}-${start + packed - 1}`);
  return method === 0 ? bytes : inflateRawSync(bytes);
}

async function range(s3: S3Client, place: Place, Range: string): Promise<{ bytes: Buffer; size: number }> {
  const { Body, ContentRange } = await s3.send(new GetObjectCommand({ ...place, Range }));
  const bytes = Buffer.from((await Body?.transformToByteArray()) ?? []);
  return { bytes, size: Number(/\/(\d+)$/.exec(ContentRange ?? '')?.[1] ?? bytes.length) };
}
