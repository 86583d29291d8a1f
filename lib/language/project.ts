/** A project's folder → its workflows, trowel.yml and all diagnostics, file by file. */
import { resolve } from 'node:path';
import type { ProjectConfig } from './config/project-config.ts';
import { loadConfig } from './config/project-config-load.ts';
import { ProjectFiles } from './config/project-files.ts';
import type { Diagnostic } from './diagnostic.ts';
import { checkCalls, type Library, type Reference, reachable, referencesOf } from './dig/calls.ts';
import { type ParsedWorkflow, parseWorkflow } from './dig/parse-workflow.ts';
import { checkPlugins } from './dig/plugin-check.ts';
import { checkSecrets } from './dig/secret-check.ts';
import { Report, sortDiagnostics } from './report.ts';
import { checkSizes } from './size-check.ts';
import { didYouMean } from './suggest.ts';
import type { Workflow } from './workflow.ts';
import { reportFileFault } from './yaml/include.ts';

export interface Project {
  /** Absolute. */
  readonly dir: string;
  readonly name: string;
  readonly config: ProjectConfig;
  /** Text of every file read so far, by its path relative to `dir`. */
  readonly sources: ReadonlyMap<string, string>;
  /**
   * Workflows read so far: those of the root folder (or those asked for), and those that they reach. With errors they may be incomplete.
   */
  readonly workflows: ReadonlyMap<string, Workflow>;
  /** All diagnostics so far: of trowel.yml, of every workflow in `workflows`, of the calls between them. */
  readonly diagnostics: readonly Diagnostic[];
  /**
   * A workflow by name (path without `.dig`), read now if it was not yet; undefined if the file is missing or its content is no mapping.
   */
  workflow(name: string): Workflow | undefined;
  /** Diagnostics of trowel.yml, of this workflow and of all that it reaches by call> and require>. */
  diagnosticsOf(name: string): readonly Diagnostic[];
  /** Names of all workflow files, in sub-folders too: `call>: ${x}` can reach them all. */
  workflowNames(): readonly string[];
}

export interface LoadOptions {
  /** Names of the workflows wanted, with what they reach; default: every `*.dig` of the root folder. */
  readonly workflows?: readonly string[];
}

/** Reads a project. Faults become diagnostics; throws only if `dir` is no folder. */
export async function loadProject(dir: string, options: LoadOptions = {}): Promise<Project> {
  const files = new ProjectFiles(dir);
  const report = new Report();
  const config = await loadConfig(dir, files, report);
  const library = new ProjectLibrary(files);
  const checked = new Map<string, readonly Diagnostic[]>();
  const diagnosticsOf = (name: string): readonly Diagnostic[] =>
    reachable(name, library).flatMap((one) => {
      let found = checked.get(one);
      if (!found) {
        const { workflow, diagnostics } = library.load(one);
        found = workflow
          ? [
              ...diagnostics,
              ...checkCalls(workflow, library),
              ...checkSecrets(workflow, files.sources),
              ...checkSizes(workflow, config.task),
              ...checkPlugins(workflow, (path) => files.exists(path)),
            ]
          : diagnostics;
        checked.set(one, found);
      }
      return found;
    });
  for (const name of options.workflows ?? library.rootNames()) diagnosticsOf(name);
  return {
    dir: resolve(dir),
    name: config.name,
    config,
    sources: files.sources,
    get workflows() {
      return library.workflows();
    },
    get diagnostics() {
      return sortDiagnostics([...report.diagnostics, ...[...checked.values()].flat()]);
    },
    workflow: (name) => library.load(name).workflow,
    diagnosticsOf: (name) => sortDiagnostics([...report.diagnostics, ...diagnosticsOf(name)]),
    workflowNames: () => library.names(),
  };
}

class ProjectLibrary implements Library {
  readonly #files: ProjectFiles;
  readonly #loaded = new Map<string, ParsedWorkflow>();
  readonly #referenced = new Map<string, readonly Reference[]>();
  #all: readonly string[] | undefined;

  constructor(files: ProjectFiles) {
    this.#files = files;
  }

  load(name: string): ParsedWorkflow {
    let parsed = this.#loaded.get(name);
    if (!parsed) {
      parsed = this.#read(name);
      this.#loaded.set(name, parsed);
    }
    return parsed;
  }

  references(name: string): readonly Reference[] {
    let found = this.#referenced.get(name);
    if (!found) {
      const { workflow } = this.load(name);
      found = workflow ? referencesOf(workflow) : [];
      this.#referenced.set(name, found);
    }
    return found;
  }

  exists(name: string): boolean {
    return this.#loaded.get(name)?.workflow !== undefined || this.#files.exists(`${name}.dig`);
  }

  names(): readonly string[] {
    this.#all ??= this.#files.allWorkflowFiles().map(nameOf);
    return this.#all;
  }

  rootNames(): readonly string[] {
    return this.#files.workflowFiles().map(nameOf);
  }

  workflows(): ReadonlyMap<string, Workflow> {
    const map = new Map<string, Workflow>();
    for (const [name, { workflow }] of this.#loaded) if (workflow) map.set(name, workflow);
    return map;
  }

  #read(name: string): ParsedWorkflow {
    const file = `${name}.dig`;
    const read = this.#files.read(file);
    if ('text' in read) return parseWorkflow(name, file, read.text, this.#files.read);
    const report = new Report();
    if (read.fault === 'missing') {
      const near = didYouMean(name, this.names());
      report.error(
        'file-not-found',
        undefined,
        `Workflow '${name}' does not exist: there is no file '${file}' in this project`,
        near ?? this.#list(),
      );
    } else reportFileFault(read.fault, file, undefined, report);
    return { diagnostics: report.diagnostics, includes: [] };
  }

  #list(): string {
    const names = this.names();
    if (names.length === 0)
      return 'The folder has no .dig file. You may need to change directory first, or use --project.';
    return `Workflows here: ${names.slice(0, 20).join(', ')}${names.length > 20 ? ', …' : ''}.`;
  }
}

function nameOf(file: string): string {
  return file.slice(0, -'.dig'.length);
}
