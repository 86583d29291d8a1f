import { parsePath } from './path.ts';
import { scan } from './scan.ts';
import { parseSimple } from './simple-script.ts';

/**
 * What is needed to evaluate a text. `literal`: nothing; `path`: only stored values (the sandbox only if one is absent); `simple`: lower.ts
 * can translate it, if the types of its variables allow that; `javascript`: the sandbox.
 */
export type TemplateClass = 'literal' | 'path' | 'simple' | 'javascript';

export function classify(text: string): TemplateClass {
  let result: TemplateClass = 'literal';
  for (const part of scan(text)) {
    if (part.kind === 'text') continue;
    if (parsePath(part.script) !== undefined) {
      if (result === 'literal') result = 'path';
    } else if (parseSimple(part.script) !== undefined) {
      result = 'simple';
    } else {
      return 'javascript';
    }
  }
  return result;
}
