/** The Python side of `trowel check`: what is asked of the files and of Python, and what is said of the interpreters. */

import { PythonCheck } from '../../compiler/python/check.ts';
import { gather } from '../../compiler/python/gather.ts';
import { CONFIG_FILE, DEPLOYED_PYTHON } from '../../language/config/project-config.ts';
import type { Diagnostic, Span } from '../../language/diagnostic.ts';
import { lineFinder } from '../../language/line-finder.ts';
import { codeOf } from '../../language/operators.ts';
import type { Project } from '../../language/project.ts';
import { tasksOf, walk } from '../../language/walk.ts';
import type { Task } from '../../language/workflow.ts';
import { isWellKnown } from '../../python/distributions.ts';
import { onPath } from '../../python/environment.ts';
import type { PythonHint } from '../../python/python-hint.ts';
import { PythonLookup } from '../../python/python-lookup.ts';

export interface CheckedPython {
  /** Absent: nothing can be looked up. */
  readonly check?: PythonCheck;
  /** Of the interpreters. */
  readonly diagnostics: readonly Diagnostic[];
  /** Text of the Python files, for carets. */
  readonly text: (file: string) => string | undefined;
  readonly close: () => Promise<void>;
}

/** Reads what the py> tasks of the workflows lead to. Undefined: there are none. */
export async function openPython(project: Project, env: NodeJS.ProcessEnv): Promise<CheckedPython | undefined> {
  const tasks = [...project.workflows.values()].flatMap((workflow) =>
    [...tasksOf(workflow)].map((task) => ({ task, workflow })),
  );
  const ofPython = tasks.filter(({ task }) => codeOf(task.operator) === 'python');
  if (ofPython.length === 0) return undefined;
  const { config } = project;
  const hasImage = config.image !== undefined || config.dockerfile !== undefined;
  const named = ofPython.flatMap(({ task }) => missingInterpreter(task, project.dir, env));
  const lookup = await PythonLookup.open({ project: project.dir, python: config.python, env, hasImage });
  if (!(lookup instanceof PythonLookup)) {
    return { diagnostics: [noPython(project, lookup), ...named], text: () => undefined, close: async () => {} };
  }
  const commands = ofPython.flatMap(({ task: { command }, workflow: { file } }) => {
    if (typeof command !== 'string' || command.includes('${')) return [];
    const at = file.lastIndexOf('/');
    // A file in a folder runs there where it is called, and in the project's folder where it is started.
    const folders = at < 0 ? [''] : ['', file.slice(0, at)];
    return folders.map((workdir) => ({ command, workdir }));
  });
  try {
    await gather(commands, lookup);
  } catch {
    await lookup.close();
    return { diagnostics: named, text: () => undefined, close: async () => {} };
  }
  const scripts = tasks.map(({ task }) => (codeOf(task.operator) === 'shell' ? String(task.command) : '')).join('\n');
  const nodes = [...project.workflows.values()].flatMap(({ root }) => [...walk(root)]);
  const paths = nodes.some(({ directives: { env } }) => env !== undefined && Object.hasOwn(env, 'PYTHONPATH'));
  const line = lineFinder(project.sources);
  const place = (span: Span) => `${span.file}:${line(span)}`;
  return {
    check: new PythonCheck(lookup, { scripts, paths, harmless: isWellKnown, place }),
    diagnostics: [...(hasImage ? [] : otherVersion(project, lookup.version)), ...named],
    text: (file) => lookup.text(file),
    close: () => lookup.close(),
  };
}

function otherVersion(project: Project, here: string): Diagnostic[] {
  const { version } = project.config.python;
  if (version !== undefined || here === DEPLOYED_PYTHON) return [];
  return [
    {
      code: 'python-version',
      severity: 'warning',
      ...atConfig(project),
      message: `Tasks run with Python ${here} here, and with ${DEPLOYED_PYTHON} deployed`,
      notes: [`Write the version that both should use into ${CONFIG_FILE}: \`python: {version: "${here}"}\`.`],
    },
  ];
}

function noPython(project: Project, hint: PythonHint | undefined): Diagnostic {
  const { version } = project.config.python;
  const command = version === undefined ? 'python3' : `python${version}`;
  return {
    code: 'python-version',
    severity: 'warning',
    ...atConfig(project),
    message:
      hint === undefined
        ? `There is no Python by the command ${command} here: the functions of py> were not looked up, and no py> can run`
        : `The command ${command} starts no Python: ${hint.reason}. The functions of py> were not looked up, and no py> can run`,
    notes: [
      hint !== undefined
        ? hint.way
        : version === undefined
          ? 'Install Python 3.9 or later (https://www.python.org/downloads/, or your system\'s package "python3").'
          : `Install Python ${version}, or change python.version in ${CONFIG_FILE}.`,
    ],
  };
}

/** `python:` of trowel.yml, or its beginning. */
function atConfig({ sources }: Project): { readonly span?: Span } {
  const text = sources.get(CONFIG_FILE);
  if (text === undefined) return {};
  const found = /^python(?=[ \t]*:)/m.exec(text);
  const start = found?.index ?? 0;
  return { span: { file: CONFIG_FILE, start, end: start + (found?.[0].length ?? 0) } };
}

/** `python:` of a task names a command, or a file of the project. A task with an image may find it there. */
function missingInterpreter(task: Task, folder: string, env: NodeJS.ProcessEnv): Diagnostic[] {
  const { python, docker } = task.keys;
  const command = Array.isArray(python) ? python[0] : python;
  if (docker !== undefined || typeof command !== 'string' || command.includes('${')) return [];
  if (onPath(command, { PATH: command.includes('/') ? folder : env.PATH })) return [];
  if (command.startsWith('/') && onPath(command, { PATH: '/' })) return [];
  return [
    {
      code: 'python-version',
      severity: 'warning',
      span: task.spans.python ?? task.span,
      message: command.includes('/')
        ? `There is no interpreter at ${command}`
        : `There is no command ${command} on PATH`,
      notes: ['Without this Python here the task fails. Leave `python:` out for that of the project.'],
    },
  ];
}
