/** The files of a project's folder, and nothing outside it: symbolic links are followed only where they stay inside. */
import { type Dirent, readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { join, sep } from 'node:path';
import { TextDecoder } from 'node:util';
import type { FileText, ReadFile } from '../yaml/include.ts';

const MAX_BYTES = 16 * 1024 * 1024;
/** Folders that hold other people's files. */
const SKIPPED = new Set(['node_modules', '__pycache__', 'cdk.out']);
const MAX_LISTED = 10_000;

export class ProjectFiles {
  /** Text of every file read, by path, for showing the line of a diagnostic. */
  readonly sources = new Map<string, string>();
  readonly #dir: string;
  readonly #root: string;
  readonly #known = new Map<string, FileText>();

  constructor(dir: string) {
    this.#dir = dir;
    this.#root = realpathSync(dir);
  }

  readonly read: ReadFile = (path) => {
    let result = this.#known.get(path);
    if (!result) {
      result = this.#readNew(path);
      this.#known.set(path, result);
      if ('text' in result) this.sources.set(path, result.text);
    }
    return result;
  };

  #readNew(path: string): FileText {
    if (path.includes('\0')) return { fault: 'missing' };
    try {
      const real = realpathSync(join(this.#dir, path));
      if (real !== this.#root && !real.startsWith(this.#root + (this.#root.endsWith(sep) ? '' : sep)))
        return { fault: 'outside' };
      const stat = statSync(real);
      if (stat.isDirectory()) return { fault: 'folder' };
      if (!stat.isFile()) return { fault: 'unreadable' };
      if (stat.size > MAX_BYTES) return { fault: 'too-large' };
      return { text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(readFileSync(real)) };
    } catch (error) {
      if (error instanceof TypeError) return { fault: 'not-text' };
      const code = (error as NodeJS.ErrnoException).code;
      return { fault: code === 'ENOENT' || code === 'ENOTDIR' || code === 'ENAMETOOLONG' ? 'missing' : 'unreadable' };
    }
  }

  exists(path: string): boolean {
    try {
      return statSync(join(this.#dir, path)).isFile();
    } catch {
      return false;
    }
  }

  /** `*.dig` of a folder, sorted; names that begin with a dot are skipped. */
  workflowFiles(folder = ''): string[] {
    return this.#list(folder)
      .filter((entry) => entry.name.endsWith('.dig') && !entry.isDirectory())
      .map((entry) => (folder ? `${folder}/${entry.name}` : entry.name))
      .sort();
  }

  /** `*.dig` of the whole project. */
  allWorkflowFiles(): string[] {
    const found: string[] = [];
    const folders = [''];
    for (let folder = folders.pop(); folder !== undefined && found.length < MAX_LISTED; folder = folders.pop()) {
      found.push(...this.workflowFiles(folder));
      for (const entry of this.#list(folder)) {
        if (entry.isDirectory() && !SKIPPED.has(entry.name))
          folders.push(folder ? `${folder}/${entry.name}` : entry.name);
      }
    }
    return found.sort();
  }

  #list(folder: string): Dirent[] {
    try {
      return readdirSync(join(this.#dir, folder), { withFileTypes: true }).filter(
        (entry) => !entry.name.startsWith('.'),
      );
    } catch {
      return [];
    }
  }
}
