import { findInPackage } from '../../host/package-folder.ts';
import { RequestFault } from '../../language/request-fault.ts';

/** A file or folder of the npm package by its path there. */
export function packageFile(path: string, from?: string): string {
  const found = findInPackage(path, from);
  if (found !== undefined) return found;
  throw new RequestFault('environment', `${path} is missing from the installed package`, ['Install trowel again']);
}
