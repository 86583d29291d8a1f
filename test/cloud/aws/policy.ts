/**
 * Statements of IAM policies, and whether they speak of a request. What is not known here (an operator, a policy variable) is an error:
 * a policy that is misread must not allow anything.
 */

/** One thing that a call needs to be allowed. */
export interface Check {
  /** With its prefix: `s3:GetObject`. */
  readonly action: string;
  /** `*` for actions that know no resources. Of several it is enough that one is allowed (an identity by address or by domain). */
  readonly resource: string | readonly string[];
  /** Condition keys and their values. */
  readonly context?: Context;
}

export interface Context {
  readonly [key: string]: string;
}

export interface Statement {
  readonly Sid?: string;
  readonly Effect: 'Allow' | 'Deny';
  readonly Action?: Texts;
  readonly NotAction?: Texts;
  readonly Resource?: Texts;
  readonly NotResource?: Texts;
  readonly Principal?: '*' | { readonly [kind: string]: Texts };
  readonly Condition?: { readonly [operator: string]: { readonly [key: string]: Texts } };
}

/** Values of conditions may also be numbers and truth values. */
type Texts = string | number | boolean | readonly (string | number | boolean)[];

const FIELDS = ['Sid', 'Effect', 'Action', 'NotAction', 'Resource', 'NotResource', 'Principal', 'Condition'];

/** @throws Error for what could be misread */
export function readStatements(document: unknown): Statement[] {
  const { Statement: given } = document as { readonly Statement?: Statement | Statement[] };
  const statements = given === undefined ? [] : [given].flat();
  for (const statement of statements) {
    const text = JSON.stringify(statement);
    const unknown = Object.keys(statement).find((field) => !FIELDS.includes(field));
    if (unknown !== undefined) throw new Error(`Unknown field ${unknown} of a statement: ${text}`);
    if (statement.Effect !== 'Allow' && statement.Effect !== 'Deny') throw new Error(`Unknown effect: ${text}`);
    if (statement.Action === undefined && statement.NotAction === undefined) throw new Error(`No action: ${text}`);
    if (text.includes('${')) throw new Error(`A policy variable is not known here: ${text}`);
    if (/"(?:Ref|Fn::\w+)":/.test(text)) throw new Error(`Not resolved: ${text}`);
    for (const operator of Object.keys(statement.Condition ?? {})) operatorOf(operator);
  }
  return statements;
}

export function speaksOf(statement: Statement, check: Check): boolean {
  return (
    actionFits(statement, check.action) &&
    resourceFits(statement, check.resource) &&
    conditionsHold(statement, check.context ?? {})
  );
}

/** Whether a resource's policy or a trust policy means this principal: a service, or an account's role by its ARN. */
export function meansPrincipal({ Principal }: Statement, kind: 'Service' | 'AWS', id: string): boolean {
  if (Principal === undefined) return false;
  if (Principal === '*') return true;
  return texts(Principal[kind]).some((each) => each === '*' || each === id);
}

function actionFits({ Action, NotAction }: Statement, action: string): boolean {
  const fits = (pattern: string) => glob(pattern, true).test(action);
  return Action !== undefined ? texts(Action).some(fits) : !texts(NotAction).some(fits);
}

function resourceFits({ Resource, NotResource }: Statement, resource: Check['resource']): boolean {
  const any = texts(resource);
  // A trust policy has none: it is about the role itself.
  if (Resource === undefined && NotResource === undefined) return true;
  if (Resource !== undefined) return texts(Resource).some((pattern) => any.some((each) => arnLike(pattern, each)));
  return !texts(NotResource).some((pattern) => any.some((each) => arnLike(pattern, each)));
}

/** The six parts of an ARN are compared one by one: an asterisk does not reach beyond a part, the last excepted. */
export function arnLike(pattern: string, arn: string): boolean {
  if (pattern === '*') return true;
  const parts = split(pattern);
  const others = split(arn);
  return parts.length === others.length && parts.every((part, i) => glob(part).test(others[i] ?? ''));
}

function split(arn: string): string[] {
  const parts = arn.split(':');
  return parts.length <= 6 ? parts : [...parts.slice(0, 5), parts.slice(5).join(':')];
}

type Operator = (given: string, wanted: string) => boolean;

const OPERATORS: { readonly [name: string]: Operator } = {
  StringEquals: (given, wanted) => given === wanted,
  StringEqualsIgnoreCase: (given, wanted) => given.toLowerCase() === wanted.toLowerCase(),
  StringLike: (given, wanted) => glob(wanted).test(given),
  ArnEquals: (given, wanted) => arnLike(wanted, given),
  ArnLike: (given, wanted) => arnLike(wanted, given),
  // Keys of several values have one here.
  'ForAnyValue:StringEquals': (given, wanted) => given === wanted,
  Bool: (given, wanted) => given.toLowerCase() === wanted.toLowerCase(),
  NumericEquals: (given, wanted) => Number(given) === Number(wanted),
  NumericLessThan: (given, wanted) => Number(given) < Number(wanted),
  NumericLessThanEquals: (given, wanted) => Number(given) <= Number(wanted),
  NumericGreaterThan: (given, wanted) => Number(given) > Number(wanted),
  NumericGreaterThanEquals: (given, wanted) => Number(given) >= Number(wanted),
};

/** Those that hold where none of the values fits, and where the key is absent. */
const NEGATED: { readonly [name: string]: string } = {
  StringNotEquals: 'StringEquals',
  StringNotLike: 'StringLike',
  ArnNotEquals: 'ArnEquals',
  ArnNotLike: 'ArnLike',
  NumericNotEquals: 'NumericEquals',
};

interface KnownOperator {
  readonly compare: Operator;
  readonly negated: boolean;
  readonly ifExists: boolean;
}

function operatorOf(written: string): KnownOperator {
  const name = written.replace(/IfExists$/, '');
  const compare = OPERATORS[NEGATED[name] ?? name];
  if (compare === undefined) throw new Error(`Unknown condition operator ${written}`);
  return { compare, negated: name in NEGATED, ifExists: written !== name };
}

/** Keys of conditions know no case. */
function conditionsHold({ Condition = {} }: Statement, context: Context): boolean {
  const known = new Map(Object.entries(context).map(([key, value]) => [key.toLowerCase(), value]));
  return Object.entries(Condition).every(([written, keys]) => {
    const { compare, negated, ifExists } = operatorOf(written);
    return Object.entries(keys).every(([key, wanted]) => {
      const given = known.get(key.toLowerCase());
      if (given === undefined) return negated || ifExists;
      return texts(wanted).some((each) => compare(given, each)) !== negated;
    });
  });
}

const globs = new Map<string, RegExp>();

function glob(pattern: string, ignoreCase = false): RegExp {
  const key = `${ignoreCase}${pattern}`;
  let made = globs.get(key);
  if (made === undefined) {
    const source = pattern
      .replaceAll(/[.+^${}()|[\]\\]/g, '\\$&')
      .replaceAll('*', '.*')
      .replaceAll('?', '.');
    made = new RegExp(`^${source}$`, ignoreCase ? 'is' : 's');
    globs.set(key, made);
  }
  return made;
}

function texts(given: Texts | undefined): readonly string[] {
  return given === undefined ? [] : [given].flat().map(String);
}
