import type { Json, Template } from '../asl/types.ts';
import { LEAF, MAP, REF } from '../language/value-form.ts';

/** Building blocks of JSONata 2.0.6 text. An `Expr` is source without its `{% %}`. */
export type Expr = string;

export function template(expr: Expr): string {
  return `{% ${expr} %}`;
}

/** A JSON string is a JSONata string, escapes included. */
export function quote(text: string): Expr {
  return JSON.stringify(text);
}

/**
 * User data as a literal of the definition. A text of the form `{% … %}` would run as an expression, and one that only begins or ends so is
 * refused by the service; it is written as an expression that gives the text.
 */
export function literal(value: Json): Template {
  if (typeof value === 'string') {
    return value.startsWith('{%') || value.endsWith('%}')
      ? template(`${quote(value.slice(0, 1))}&${quote(value.slice(1))}`)
      : value;
  }
  if (Array.isArray(value)) return value.map(literal);
  if (value !== null && typeof value === 'object') {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, literal(item)]));
  }
  return value;
}

/** A literal as written inside an expression; JSON is JSONata, and text in it is never a template there. */
export function constant(value: Json): Expr {
  return JSON.stringify(value);
}

/**
 * The deep merge of objects, left to right: mappings merge, anything else replaces. The language has no shared functions, so
 * it is inlined. What is kept in files is not opened: whoever reads the mapping next merges its parts, in order (lib/contract/merge.ts has
 * the same rule). A level of nesting takes 5 evaluation frames of the 100 there are, so below the eighth the mappings become parts, too.
 */
const MERGE =
  `$q:='${MAP}';$m:=function($a,$b,$d){$type($a)&$type($b)!='objectobject' or $exists([$a,$b].\`${REF}\`)or $exists([$a,$b].\`${LEAF}\`)?$b:` +
  '$d<1 or $exists($lookup($b,$q))?$merge([$b,{$q:$append($append($lookup($a,$q),[$sift($a,function($v,$k){$k!=$q})]),$lookup($b,$q))}]):' +
  '$merge([$a,$each($b,function($v,$k){{$k:$m($lookup($a,$k),$v,$d-1)}})])};' +
  '$n:=function($a,$b){$m($a,$b,8)}';

export function merge(layers: readonly Expr[]): Expr {
  return layers.length === 1 ? layers[0]! : `(${MERGE};$reduce([${layers.join(',')}],$n))`;
}

/** Like `merge`, for a list that is itself an expression. */
export function mergeList(first: readonly Expr[], list: Expr): Expr {
  return `(${MERGE};$reduce($append([${first.join(',')}],[${list}]),$n))`;
}

/**
 * The result of a service as data, as `encode` of lib/language/value-form.ts gives it: keys that look like marks get one more colon. In JSON
 * text a key is what follows `{` or `,` and is followed by a colon.
 */
export function asData(result: Expr): Expr {
  const key = String.raw`/([\{,]"trowel:)(([^\\"]|\\.)*":)/`;
  return `($c:=$string(${result});$type(${result})!='string' and $contains($c,'"trowel:')?$parse($replace($c,${key},"$1:$2")):${result})`;
}

/** Joins pieces of text; a long chain of `&` would nest an evaluation frame a piece. */
export function concat(parts: readonly Expr[]): Expr {
  if (parts.length === 0) return '""';
  return parts.length <= 4 ? parts.join('&') : `$join([${parts.join(',')}])`;
}
