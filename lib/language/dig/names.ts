import type { Span } from '../diagnostic.ts';
import type { Report } from '../report.ts';
import { show } from '../yaml/tree.ts';

/** ModelValidator.RAW_TASK_NAME_CHARS; `^` is only in generated names. */
const NOT_IN_TASK_NAME = /[^a-zA-Z_0-9\-=[\]{}%&@`,.]/u;
const MAX_NAME = 255;

export function checkTaskName(name: string, span: Span, report: Report): void {
  const bare = name.slice(1);
  const bad = NOT_IN_TASK_NAME.exec(bare);
  if (bad) {
    report.error(
      'task-name',
      span,
      `A task name must not contain the character ${bad[0] === "'" ? "`'`" : `'${bad[0]}'`}: ${show(name)}`,
      `Allowed are letters, digits and - _ = [ ] { } % & @ \` , . — for example '+${fitted(bare)}'.`,
    );
  } else if (bare === '') {
    report.error('task-name', span, 'A task needs a name after the +', 'For example `+load:`.');
  } else if (name.length > MAX_NAME) {
    report.error('task-name', span, `A task name has at most ${MAX_NAME} characters; this one has ${name.length}`);
  }
}

function fitted(name: string): string {
  return (
    name
      .normalize('NFKD')
      .replace(/[^a-zA-Z_0-9\-=[\]{}%&@`,.]+/gu, '_')
      .replace(/^_+|_+$/g, '')
      .slice(0, 40) || 'load'
  );
}

/** What is wrong with the name of a workflow (its file's name without `.dig`), or undefined. */
export function workflowNameFault(name: string): string | undefined {
  if (name === '') return 'it is empty';
  if (/^[0-9]/.test(name)) return 'it must not begin with a digit';
  if (/^[+^@/\\:*?"<>|]/.test(name)) return 'it must not begin with one of + ^ @ / \\ : * ? " < > |';
  if (name.endsWith('.dig')) return 'it must not end in .dig';
  if (name.length > MAX_NAME) return `it must not be longer than ${MAX_NAME} characters`;
  return undefined;
}
