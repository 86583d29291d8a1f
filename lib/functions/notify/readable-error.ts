import { isMapping } from '../../asl/json.ts';
import { plainMessage } from '../../contract/failure.ts';
import type { Mapping } from '../../language/workflow.ts';

/** Changes what `${error.message}` gives into what people read; other texts stay. */
export function readableError({ error }: Mapping): (inserted: string) => string {
  const message = isMapping(error) && typeof error.message === 'string' ? error.message : undefined;
  return (inserted) => (inserted === message ? plainMessage(inserted) : inserted);
}
