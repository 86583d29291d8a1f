/** The operators' table is the only one: nothing else decides by an operator's name. Covers lib/language/operators.ts */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'acorn';
import { transformSync } from 'esbuild';
import { expect, test } from 'vitest';
import { OPERATORS } from '../../../lib/language/operators.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/** The table itself. */
const TABLE = /^lib\/language\/operators\//;

/** What may be compared with a word that is an operator's name too, and what it is there. */
const OTHER_WORDS: { readonly [compared: string]: string } = {
  target: 'where a machine is to run: local or aws',
  where: 'where secrets are kept: local or aws; or what _parallel is written on',
  service: 'a service of AWS',
  resourceType: 'a service of AWS',
  kind: 'what a workflow needs',
  'name in lib/deployed/project-needs.ts': "one of Trowel's functions",
  type: 'of a message, or of a node of JSONata',
  'name in lambdas/notify/handler.ts': 'a channel of notifications',
  function: "one of Trowel's functions",
  functionOf: "one of Trowel's functions",
  sends: 'where a message goes',
};

/** Files with lists or mappings of such words. */
const OTHER_LISTS: { readonly [file: string]: string } = {
  'lib/asl/integrations.ts': 'services of AWS',
  'lib/cli/actions/secrets.ts': 'where secrets are kept',
  'lib/cloud/functions.ts': "Trowel's functions",
  'lib/cloud/project-functions.ts': "Trowel's functions",
  'lib/expression/directives.ts': 'secrets of the AWS client',
  'lib/functions/http/core.ts': 'parameters that a request stores',
  'lib/functions/notify/core.ts': 'how a message is sent, by where it goes',
  'lib/language/dig/sla.ts': 'keys of sla:',
  'lib/language/dig/value-check.ts': 'how a message is written, by where it goes',
  'lib/local/aws/services.ts': 'services of AWS',
  'lib/local/functions/http.ts': "Trowel's functions",
  'lib/local/functions/index.ts': "Trowel's functions",
};

function files(top: string, ending: string): string[] {
  return readdirSync(join(ROOT, top), { recursive: true, encoding: 'utf8' })
    .map((file) => join(top, file).replaceAll('\\', '/'))
    .filter((file) => file.endsWith(ending));
}

interface Syntax {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [field: string]: unknown;
}

function isSyntax(value: unknown): value is Syntax {
  return typeof value === 'object' && value !== null && typeof (value as { type?: unknown }).type === 'string';
}

function isName(node: unknown): boolean {
  return isSyntax(node) && typeof node.value === 'string' && Object.hasOwn(OPERATORS, node.value);
}

/** The last word of what is compared: `f` of `f(x)`, `b` of `a.b`. */
function lastWord(node: unknown): string {
  if (!isSyntax(node)) return '';
  return String(node.name ?? lastWord(node.property ?? node.callee ?? node.expression));
}

/** What a node decides by an operator's name: about the last word of what it compares, or by a `list`. */
function subject({ type, ...node }: Syntax): string | undefined {
  switch (type) {
    case 'BinaryExpression': {
      if (!/^[!=]==?$/.test(String(node.operator))) return undefined;
      return isName(node.right) ? lastWord(node.left) : isName(node.left) ? lastWord(node.right) : undefined;
    }
    case 'SwitchStatement':
      return (node.cases as readonly Syntax[]).some(({ test }) => isName(test))
        ? lastWord(node.discriminant)
        : undefined;
    case 'ArrayExpression':
      return (node.elements as readonly unknown[]).some(isName) ? 'list' : undefined;
    case 'ObjectExpression': {
      const keys = (node.properties as readonly Syntax[]).map(({ key }) => key as Syntax | undefined);
      const names = keys.map((key) => String(key?.name ?? key?.value));
      return names.filter((name) => Object.hasOwn(OPERATORS, name)).length > 1 ? 'list' : undefined;
    }
    case 'MemberExpression': {
      const own = isSyntax(node.object) && node.object.name === 'OPERATORS';
      return own && Object.hasOwn(OPERATORS, lastWord(node.property)) ? 'OPERATORS' : undefined;
    }
    default:
      return undefined;
  }
}

function isOther(word: string, file: string): boolean {
  if (word === 'list') return Object.hasOwn(OTHER_LISTS, file);
  return Object.hasOwn(OTHER_WORDS, word) || Object.hasOwn(OTHER_WORDS, `${word} in ${file}`);
}

function decisions(file: string): string[] {
  const { code } = transformSync(readFileSync(join(ROOT, file), 'utf8'), { loader: 'ts', target: 'es2022' });
  const found: string[] = [];
  const visit = (value: unknown): void => {
    if (Array.isArray(value)) value.forEach(visit);
    if (!isSyntax(value)) return;
    const word = subject(value);
    if (word !== undefined && !isOther(word, file))
      found.push(`${file}: ${code.slice(value.start, value.end).replace(/\s+/g, ' ').slice(0, 80)}`);
    Object.values(value).forEach(visit);
  };
  visit(parse(code, { ecmaVersion: 2022, sourceType: 'module', allowHashBang: true }));
  return found;
}

test('no source decides by the name of an operator', () => {
  const sources = ['lib', 'lambdas', 'bin', 'tools'].flatMap((top) => files(top, '.ts'));
  const found = sources.filter((file) => !TABLE.test(file)).flatMap(decisions);
  expect(found).toEqual([]);
});

test('the exceptions are files that exist', () => {
  expect(Object.keys(OTHER_LISTS).filter((file) => !existsSync(join(ROOT, file)))).toEqual([]);
});

test('nor does the runner', () => {
  const names = Object.keys(OPERATORS).join('|');
  const decision = new RegExp(`(?:operator|op) (?:==|!=|in|not in) .*"(?:${names})"`);
  const lines = files('task-images/python/src', '.py').flatMap((file) =>
    readFileSync(join(ROOT, file), 'utf8')
      .split('\n')
      .map((line) => `${file}: ${line.trim()}`),
  );
  expect(lines.filter((line) => decision.test(line))).toEqual([]);
});
