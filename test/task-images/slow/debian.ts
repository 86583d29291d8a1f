/**
 * Images without a daemon and without a registry: buildah with plain folders as storage and chroot as isolation, on a Debian of debootstrap's.
 * Needs root on Linux.
 */
import { execFile } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { onPath } from '../../../lib/python/environment.ts';

const run = promisify(execFile);
const CACHE = join(import.meta.dirname, '..', '..', '..', 'node_modules', '.cache');
/** Its python3 is 3.11, the one of the stock image. */
const SUITE = 'bookworm';

/** Why images cannot be built here. */
export function missing(): string | undefined {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'needs root on Linux';
  const absent = ['buildah', 'debootstrap'].filter((command) => !onPath(command, process.env));
  return absent.length > 0 ? `needs ${absent.join(' and ')}` : undefined;
}

export class Images {
  /** Arguments of buildah before its command. */
  readonly storage: readonly string[];

  /** @param folder for what is built; removed with it */
  constructor(folder: string) {
    const place = (name: string) => join(folder, name);
    this.storage = ['--root', place('storage'), '--runroot', place('run'), '--storage-driver', 'vfs'];
  }

  async buildah(...args: readonly string[]): Promise<string> {
    const { stdout } = await run('buildah', [...this.storage, ...args], { maxBuffer: 1e8 });
    return stdout.trim();
  }

  /** A minimal Debian with Python as the image `name`; downloaded once. */
  async base(name: string): Promise<void> {
    const folder = join(CACHE, `trowel-debian-${SUITE}`);
    if (!existsSync(`${folder}.ready`)) {
      rmSync(folder, { recursive: true, force: true });
      mkdirSync(CACHE, { recursive: true });
      const packages = '--include=python3,python3-venv,ca-certificates';
      await run('debootstrap', ['--variant=minbase', packages, SUITE, folder], { maxBuffer: 1e8 });
      writeFileSync(`${folder}.ready`, '');
    }
    const container = await this.buildah('from', 'scratch');
    await run('cp', ['-a', `${folder}/.`, await this.buildah('mount', container)]);
    await this.buildah('commit', '--quiet', container, name);
    await this.buildah('rm', container);
  }

  /**
   * Writes a `python3` that runs in a container of the image, with the variables that it is given itself. All its calls share one container: a
   * copy of the image for each takes long, and tasks keep to folders of their own.
   */
  async python(image: string, folder: string): Promise<string> {
    const container = await this.buildah('from', image);
    const buildah = ['buildah', ...this.storage, 'run', '--isolation', 'chroot'];
    mkdirSync(folder, { recursive: true });
    const script = `#!/usr/bin/python3
import os, shutil, sys
given = [f"--env={name}={value}" for name, value in os.environ.items() if name not in ("PATH", "HOME", "TMPDIR", "PWD", "OLDPWD", "SHLVL", "_")]
os.environ["PATH"] = os.environ["PATH"].partition(os.pathsep)[2]
os.execvp("buildah", [*${JSON.stringify(buildah)}, *given, ${JSON.stringify(container)}, "--", "python3", *sys.argv[1:]])
`;
    const file = join(folder, 'python3');
    writeFileSync(file, script);
    chmodSync(file, 0o755);
    return container;
  }
}
