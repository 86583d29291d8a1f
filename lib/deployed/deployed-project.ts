/**
 * The deployed state machines of a project. They are found by their names and distinguished from those of other projects by their tags, so
 * that a stack of any name, or an app of the user's own, will do.
 */
import { PROJECT_TAG, stateMachineName, tagValue, WORKFLOW_TAG } from '../contract/deployed-names.ts';
import { isDenied } from './aws-fault.ts';
import type { MachineEntry, States } from './states.ts';

export interface DeployedWorkflow {
  readonly workflow: string;
  readonly arn: string;
}

export class DeployedProject {
  readonly name: string;
  readonly #states: Pick<States, 'machines' | 'tags'>;
  #machines: Promise<readonly MachineEntry[]> | undefined;
  #workflows: Promise<readonly DeployedWorkflow[]> | undefined;

  constructor(states: Pick<States, 'machines' | 'tags'>, project: string) {
    this.#states = states;
    this.name = project;
  }

  /** Undefined if it is not deployed here. */
  async workflow(workflow: string): Promise<DeployedWorkflow | undefined> {
    const name = stateMachineName(this.name, workflow);
    const machine = (await this.#candidates()).find((each) => each.name === name);
    const tag = tagValue(workflow);
    return machine !== undefined && (await this.#workflowOf(machine, tag)) === tag
      ? { workflow, arn: machine.arn }
      : undefined;
  }

  /** All workflows, without the parts that some were split into. Sorted by name. */
  workflows(): Promise<readonly DeployedWorkflow[]> {
    this.#workflows ??= this.#tagged();
    return this.#workflows;
  }

  /** The name of the project that a machine belongs to, which may be another's; this one's where its tags may not be read. */
  async projectOf(machineArn: string): Promise<string> {
    try {
      return (await this.#states.tags(machineArn))[PROJECT_TAG] ?? this.name;
    } catch (error) {
      if (isDenied(error)) return this.name;
      throw error;
    }
  }

  async #tagged(): Promise<readonly DeployedWorkflow[]> {
    const found: DeployedWorkflow[] = [];
    for (const machine of await this.#candidates()) {
      // A name does not distinguish a part of a workflow from a workflow, nor project `a` with `b-c` from `a-b` with `c`.
      const workflow = await this.#workflowOf(machine, machine.name.slice(this.name.length + 1));
      if (workflow !== undefined) found.push({ workflow, arn: machine.arn });
    }
    return found.sort((a, b) => (a.workflow < b.workflow ? -1 : 1));
  }

  /** The workflow by the machine's tags; if they may not be read, by its name. */
  async #workflowOf({ arn }: MachineEntry, otherwise: string): Promise<string | undefined> {
    try {
      const tags = await this.#states.tags(arn);
      return tags[PROJECT_TAG] === tagValue(this.name) ? tags[WORKFLOW_TAG] : undefined;
    } catch (error) {
      if (isDenied(error)) return otherwise;
      throw error;
    }
  }

  /** Machines whose name begins with the project's. */
  async #candidates(): Promise<readonly MachineEntry[]> {
    this.#machines ??= this.#states.machines();
    const prefix = stateMachineName(this.name, '');
    return (await this.#machines).filter(({ name }) => name.startsWith(prefix));
  }
}
