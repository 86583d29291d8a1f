import { compileWorkflow } from '../../compiler/compile-project.ts';
import { findProject, findWorkflow } from '../../language/find-project.ts';
import { loadProject } from '../../language/project.ts';
import { sessionParams } from '../../local/start/session-params.ts';
import { EXIT } from '../exit-codes.ts';
import { reportDiagnostics } from '../render/report-diagnostics.ts';
import type { Terminal } from '../terminal.ts';

export interface CompileFlags {
  readonly project?: string;
  readonly nested?: true;
}

export async function printCompiled(
  terminal: Terminal,
  argument: string | undefined,
  flags: CompileFlags,
): Promise<number> {
  const place = findProject(terminal.cwd, { ...flags, workflow: argument });
  const name = findWorkflow(terminal.cwd, place, argument, flags.project);
  const project = await loadProject(place.folder, { workflows: [name] });
  const { compiled, diagnostics } = await compileWorkflow(project, name, {
    params: await sessionParams(project),
  });
  await reportDiagnostics(terminal, project, place, diagnostics);
  if (compiled === undefined) return EXIT.failed;
  const machines = flags.nested ? { [name]: compiled.machine, ...compiled.nested } : compiled.machine;
  await terminal.stdout.write(`${JSON.stringify(machines, null, 2)}\n`);
  return EXIT.ok;
}
