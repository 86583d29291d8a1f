import { isMapping } from '../../asl/json.ts';
import { badInput } from '../../contract/errors.ts';
import { decode, exactText } from '../../language/value-form.ts';
import type { Mapping, Value } from '../../language/workflow.ts';
import { text } from './options.ts';

export interface Body {
  readonly type: string;
  readonly text: string;
}

/**
 * The body of a request, by digdag's table:
 *
 * | content       | content_format  | content type                      |
 * |---------------|-----------------|-----------------------------------|
 * | scalar        | text (default)  | text/plain                        |
 * | scalar        | json            | application/json                  |
 * | object, array | json (default)  | application/json                  |
 * | object        | form            | application/x-www-form-urlencoded |
 *
 * (digdag sends `plain/text` for the first, against its documentation.) `content_type` replaces all of them. `given` is a value in wire form.
 */
export function requestBody(params: Mapping, given: Value | undefined): Body | undefined {
  if (given === undefined || given === null) return undefined;
  const content = decode(given, undefined, (digits) => digits);
  const container = typeof content === 'object';
  const format = text(params, 'content_format')?.toLowerCase() ?? (container ? 'json' : 'text');
  const type = text(params, 'content_type');
  if (format === 'json') return { type: type ?? 'application/json', text: exactText(given) };
  if (format === 'text' && !container) return { type: type ?? 'text/plain; charset=utf-8', text: String(content) };
  if (format === 'form' && isMapping(content)) {
    return { type: type ?? 'application/x-www-form-urlencoded', text: form(content) };
  }
  const kind = Array.isArray(content) ? 'array' : typeof content;
  throw badInput(`Invalid content format for ${kind}s: '${format}'`);
}

function form(content: Mapping): string {
  const fields = new URLSearchParams();
  for (const [key, value] of Object.entries(content)) {
    if (typeof value === 'object' && value !== null) {
      throw badInput(`Invalid form content field value: ${JSON.stringify(value)}`);
    }
    fields.append(key, String(value));
  }
  return fields.toString();
}
