/** A project's folder → its workflows, trowel.yml and all diagnostics, file by file. */
import { posix, resolve } from 'node:path';
import type { Diagnostic } from './diagnostic.ts';
import { reportFileFault } from './include.ts';
import { type ParsedWorkflow, parseWorkflow } from './parse-workflow.ts';
import { CONFIG_FILE, defaultConfig, type ProjectConfig } from './project-config.ts';
import { ProjectFiles } from './project-files.ts';
import { Report, sortDiagnostics } from './report.ts';
import type { Workflow } from './workflow.ts';

export interface Project {
  /** Absolute. */
  readonly dir: string;
  readonly name: string;
  readonly config: ProjectConfig;
  /** Text of every file read, by its path relative to `dir`. */
  readonly sources: ReadonlyMap<string, string>;
  /** Those loaded: of the root folder (or those asked for), and what they call. With errors they may be incomplete. */
  readonly workflows: ReadonlyMap<string, Workflow>;
  /** All of them: trowel.yml, every loaded file, calls between files. */
  readonly diagnostics: readonly Diagnostic[];
  /** A workflow by name (path without `.dig`), read now if it was not yet. */
  workflow(name: string): Workflow | undefined;
  /** Those of trowel.yml, of this workflow and of whatever it reaches by call> and require>. */
  diagnosticsOf(name: string): readonly Diagnostic[];
  /** Names of all workflow files, in sub-folders too: what `call>: ${x}` may reach. */
  workflowNames(): readonly string[];
}

export interface LoadOptions {
  /** Names of the workflows wanted; default: every `*.dig` of the root folder. */
  readonly workflows?: readonly string[];
}

export async function loadProject(dir: string, options: LoadOptions = {}): Promise<Project> {
  const files = new ProjectFiles(dir);
  const config = defaultConfig(resolve(dir));
  const loaded = new Map<string, ParsedWorkflow>();
  const load = (name: string): ParsedWorkflow => {
    let parsed = loaded.get(name);
    if (!parsed) {
      parsed = loadWorkflow(name, files);
      loaded.set(name, parsed);
    }
    return parsed;
  };
  const names = options.workflows ?? files.workflowFiles().map((file) => file.slice(0, -'.dig'.length));
  for (const name of names) load(name);
  return {
    dir: resolve(dir),
    name: config.name,
    config,
    sources: files.sources,
    get workflows() {
      const map = new Map<string, Workflow>();
      for (const [name, { workflow }] of loaded) if (workflow) map.set(name, workflow);
      return map;
    },
    get diagnostics() {
      return sortDiagnostics([...loaded.values()].flatMap(({ diagnostics }) => diagnostics));
    },
    workflow: (name) => load(name).workflow,
    diagnosticsOf: (name) => load(name).diagnostics,
    workflowNames: () => files.allWorkflowFiles().map((file) => file.slice(0, -'.dig'.length)),
  };
}

function loadWorkflow(name: string, files: ProjectFiles): ParsedWorkflow {
  const file = `${name}.dig`;
  const report = new Report();
  if (name.startsWith('/') || posix.normalize(file) !== file || file.startsWith('..')) {
    reportFileFault('outside', file, undefined, report);
    return { diagnostics: report.diagnostics, includes: [] };
  }
  const read = files.read(file);
  if ('text' in read) return parseWorkflow(name, file, read.text, files.read);
  reportFileFault(read.fault, file, undefined, report);
  return { diagnostics: report.diagnostics, includes: [] };
}

export { CONFIG_FILE };
