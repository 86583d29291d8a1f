/** Why a variable of a template is not there, or arrives as text: digdag's order and scope, as render.ts has them. */

import type { FreeVariable } from '../expression/javascript.ts';
import type { DiagnosticCode } from '../language/diagnostic.ts';
import { didYouMean } from '../language/suggest.ts';
import type { Template } from '../language/templates.ts';
import type { Node } from '../language/workflow.ts';
import { type Defined, isTemplateText } from './defined.ts';

interface VariableFault {
  readonly code: DiagnosticCode;
  readonly message: string;
  readonly notes: readonly string[];
}

/** `outer`: what is defined around the node, its own `_export` included. */
export function faultOf(
  { name, end }: FreeVariable,
  template: Template,
  node: Node,
  outer: Defined,
): VariableFault | undefined {
  const { keys, within, text } = template;
  const exported = keys[0] === '_export';
  if (within?.earlier.includes(name)) return undefined;
  const own = node.kind === 'task' && !exported ? Object.keys(node.keys) : [];
  const key = (exported ? keys[1] : keys[0]) ?? '';
  if (within === undefined && own.slice(0, own.indexOf(key)).includes(name)) return undefined;
  if (outer.names.has(name)) {
    const raw = within !== undefined || isBelow(name, key, outer);
    return raw && isTemplateText(outer.names.get(name), text.slice(end))
      ? asText(name, within === undefined ? key : undefined)
      : undefined;
  }
  // An _export may use what only the tasks below define.
  if (exported || outer.anything) return undefined;
  if (within?.later.includes(name)) return below(name, key, 'this mapping');
  // A key that names itself means what is around the task.
  if (own.includes(name) && name !== key)
    return within === undefined ? below(name, key, 'this task') : ownKey(name, key);
  const hint = didYouMean(name, outer.names.keys());
  return {
    code: 'undefined-variable',
    message: `nothing defines the variable ${name}`,
    notes: [
      ...(hint === undefined ? [] : [hint]),
      `Give it in an _export, store it in an earlier task, or pass it with -p ${name}=…`,
    ],
  };
}

/** Whether a name is evaluated after `key`, or is `key`, in the scope of a task, so that its text has not been evaluated yet. */
function isBelow(name: string, key: string, { names }: Defined): boolean {
  if (!names.has(key)) return false;
  const order = [...names.keys()];
  return order.indexOf(name) >= order.indexOf(key);
}

function below(name: string, key: string, where: string): VariableFault {
  return {
    code: 'key-below',
    message: `\`${name}\` is a key further down in ${where}: a key sees only those above it`,
    notes: [
      where === 'this task'
        ? `Move \`${name}:\` above \`${key}:\`, or give it in an _export.`
        : `Move \`${name}:\` up.`,
    ],
  };
}

function ownKey(name: string, key: string): VariableFault {
  return {
    code: 'key-below',
    message: `\`${name}\` is a key of this task, which a mapping inside \`${key}:\` does not see`,
    notes: [
      `Such a mapping sees what is exported or stored, and its own keys above: put \`${name}:\` under \`_export:\` of this task.`,
    ],
  };
}

/** `exported`: the key of an `_export` that is itself no mapping; absent: it is inside one. */
function asText(name: string, exported: string | undefined): VariableFault {
  const code = 'template-as-text';
  if (exported === name) {
    const notes = ['The value that it had before is hidden by this one: give this one another name.'];
    return { code, message: `\`${name}\` is exported as itself: its own text arrives as it is written`, notes };
  }
  if (exported !== undefined) {
    const message = `\`${name}\` is exported further down and is itself an expression: its text arrives as it is written`;
    return { code, message, notes: [`Move \`${name}:\` up.`] };
  }
  return {
    code,
    message: `\`${name}\` is exported as an expression, and inside a mapping that is not evaluated: its text arrives as it is written`,
    notes: [
      `Write the expression here in place of \`${name}\`, or use \`${name}\` in a key of the task whose value is not a mapping.`,
    ],
  };
}
