/** Errors of the YAML parser, in words that say what to write instead. */
import type { CST, YAMLParseError } from 'yaml';
import type { Report } from './report.ts';

/** Offset where a document's nesting passes `limit`, found without recursion: the composer would overflow the stack. */
export function tooDeep(tokens: readonly CST.Token[], limit: number): number | undefined {
  const stack: { token: unknown; depth: number }[] = tokens.map((token) => ({ token, depth: 0 }));
  for (let next = stack.pop(); next; next = stack.pop()) {
    const token = next.token as { type?: string; offset?: number; items?: unknown[]; value?: unknown };
    const inner = token.type === 'document' ? next.depth : next.depth + 1;
    if (token.items) {
      if (inner > limit) return token.offset ?? 0;
      for (const item of token.items as { key?: unknown; value?: unknown }[]) {
        if (item.key) stack.push({ token: item.key, depth: inner });
        if (item.value) stack.push({ token: item.value, depth: inner });
      }
    } else if (token.value && typeof token.value === 'object') stack.push({ token: token.value, depth: next.depth });
  }
  return undefined;
}

export function reportYamlFaults(file: string, _text: string, errors: readonly YAMLParseError[], report: Report): void {
  const [error] = errors;
  if (!error) return;
  report.error('yaml-syntax', { file, start: error.pos[0], end: error.pos[1] }, error.message);
}
