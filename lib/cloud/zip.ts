/** ZIP archives that are the same, byte for byte, for the same content: fixed times, plain modes, entries in the order given. */
import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { promisify } from 'node:util';
import { crc32 } from './crc32.ts';

export interface ZipEntry {
  /** Path in the archive, with `/`. */
  readonly path: string;
  readonly executable: boolean;
  readonly read: () => Promise<Buffer>;
}

/** What fits without the 64-bit form, which the standard library of the oldest Python here reads but others may not. */
const ZIP_LIMITS = { entries: 65_535, bytes: 0xffff_ffff } as const;

/** 1980-01-01 00:00, the first time that the format knows. */
const DATE = 0x0021;
const DEFLATE = 8;
/** Names are UTF-8. */
const FLAGS = 0x0800;
/** Made on Unix, format 2.0. */
const MADE_BY = 0x0314;
const TOGETHER = 16;

/**
 * Writes the archive and returns the SHA-256 of its bytes, in hexadecimal.
 * @throws RangeError where it would be larger than ZIP_LIMITS
 */
export async function writeZip(file: string, entries: readonly ZipEntry[]): Promise<{ sha256: string; bytes: number }> {
  if (entries.length > ZIP_LIMITS.entries) throw new RangeError(`${entries.length} files`);
  const { deflateRaw, constants } = await import('node:zlib');
  const deflate = promisify(deflateRaw);
  const out = await open(file, 'w');
  const hash = createHash('sha256');
  let offset = 0;
  const write = async (part: Buffer): Promise<void> => {
    offset += part.length;
    if (offset > ZIP_LIMITS.bytes) throw new RangeError(`more than ${ZIP_LIMITS.bytes} bytes`);
    hash.update(part);
    await out.write(part);
  };
  const central: Buffer[] = [];
  try {
    for (let i = 0; i < entries.length; i += TOGETHER) {
      const packed = await Promise.all(
        entries.slice(i, i + TOGETHER).map(async (entry) => {
          const content = await entry.read();
          const data = await deflate(content, { level: constants.Z_DEFAULT_COMPRESSION });
          return { entry, data, size: content.length, crc: crc32(content) };
        }),
      );
      for (const { entry, data, size, crc } of packed) {
        const name = Buffer.from(entry.path);
        const common = Buffer.alloc(26);
        common.writeUInt16LE(20, 0);
        common.writeUInt16LE(FLAGS, 2);
        common.writeUInt16LE(DEFLATE, 4);
        common.writeUInt16LE(0, 6);
        common.writeUInt16LE(DATE, 8);
        common.writeUInt32LE(crc, 10);
        common.writeUInt32LE(data.length, 14);
        common.writeUInt32LE(size, 18);
        common.writeUInt16LE(name.length, 22);
        central.push(centralEntry(common, name, entry.executable, offset));
        await write(Buffer.concat([signature(0x04034b50), common, name, data]));
      }
    }
    const start = offset;
    for (const part of central) await write(part);
    const end = Buffer.alloc(18);
    end.writeUInt16LE(entries.length, 4);
    end.writeUInt16LE(entries.length, 6);
    end.writeUInt32LE(offset - start, 8);
    end.writeUInt32LE(start, 12);
    await write(Buffer.concat([signature(0x06054b50), end]));
    return { sha256: hash.digest('hex'), bytes: offset };
  } finally {
    await out.close();
  }
}

function centralEntry(common: Buffer, name: Buffer, executable: boolean, offset: number): Buffer {
  const madeBy = Buffer.alloc(2);
  madeBy.writeUInt16LE(MADE_BY);
  const rest = Buffer.alloc(14);
  // A regular file (0o100000); the mode is in the upper half of the external attributes.
  rest.writeUInt32LE((0o100000 | (executable ? 0o755 : 0o644)) * 0x10000, 6);
  rest.writeUInt32LE(offset, 10);
  return Buffer.concat([signature(0x02014b50), madeBy, common, rest, name]);
}

function signature(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}
