import { posix } from 'node:path';

/** The file that `call>: NAME` means, relative to the project, in a workflow of the folder `workdir`. */
export function resolveCall(workdir: string, command: string): string {
  const file = posix.normalize(posix.join(workdir, command));
  return file.endsWith('.dig') ? file : `${file}.dig`;
}
