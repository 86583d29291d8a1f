import type { Connection } from './connection.ts';
import { DeployedProject } from './deployed-project.ts';
import type { States } from './states.ts';

/** A project as it is deployed. */
export interface OpenedProject {
  readonly connection: Connection;
  readonly states: States;
  readonly deployed: DeployedProject;
  /** A command line for the same project and account, to paste. */
  readonly command: (...words: readonly string[]) => string;
}

/** Nothing is asked of AWS yet. @param name under which the project is deployed */
export async function openProject(
  name: string,
  connection: Connection,
  command: OpenedProject['command'],
): Promise<OpenedProject> {
  const { connectStates } = await import('./states-client.ts');
  const states = connectStates(connection);
  return { connection, states, deployed: new DeployedProject(states, name), command };
}
