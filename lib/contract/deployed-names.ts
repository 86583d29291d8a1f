/**
 * Names under which a project is deployed. lib/cloud gives them, lib/deployed looks for them. If one changes, resources of earlier deploys
 * are left behind.
 */
import { createHash } from 'node:crypto';

/** Characters of a state machine's name. */
const LONGEST_NAME = 80;

/** `PROJECT-WORKFLOW`; a name that is too long, or could mean two workflows, gets a hash. */
export function stateMachineName(project: string, workflow: string): string {
  const plain = `${project}-${workflow}`;
  if (plain.length <= LONGEST_NAME && /^[A-Za-z0-9_-]+$/.test(plain)) return plain;
  const hash = createHash('sha256').update(plain).digest('hex').slice(0, 8);
  return `${plain.replaceAll(/[^A-Za-z0-9_-]/g, '-').slice(0, LONGEST_NAME - 9)}-${hash}`;
}

/** The tag of every resource: the project's name. */
export const PROJECT_TAG = 'trowel:project';
/** The tag of a workflow's state machine, but not of the machines of its parts: the workflow's name. */
export const WORKFLOW_TAG = 'trowel:workflow';

/** A tag's value: letters, digits, spaces and some signs, 256 at most. */
export function tagValue(text: string): string {
  return text.replace(/[^\p{L}\p{Z}\p{N}_.:/=+\-@]/gu, '_').slice(0, 256);
}

/** Log group with what tasks print; a container's stream is `PREFIX/CONTAINER/TASK-ID`. */
export function taskLogGroup(project: string): string {
  return `/trowel/${project}/tasks`;
}

/** The runner's container. */
export const CONTAINER = 'task';
/** A second one next to it, where a task asks for one. */
export const BESIDE = 'beside';
export const LOG_PREFIX = 'task';

/** A secret's name in AWS Secrets Manager is this and its key. */
export function secretPrefix(project: string): string {
  return `trowel/${project}/`;
}

/** The part of an execution's name before the session; a name may not hold `/` or `:`, and 80 characters in all. */
export function executionPrefix(workflow: string): string {
  const fit = workflow.replaceAll(/[^A-Za-z0-9_-]/g, '_');
  if (fit === workflow && fit.length <= 50) return fit;
  // Two names that were shortened must not become the same: the second execution would be taken for the first.
  return `${fit.slice(0, 41)}-${createHash('sha256').update(workflow).digest('hex').slice(0, 8)}`;
}
