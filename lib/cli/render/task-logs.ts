import { appendFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileName } from '../../contract/names.ts';

/** `--task-log DIR`: what each task prints, in a file of its own. */
export function openTaskLogs(folder: string): { append(task: string, text: string): void } {
  mkdirSync(folder, { recursive: true });
  return { append: (task, text) => appendFileSync(join(folder, `${fileName(task)}.log`), text) };
}
