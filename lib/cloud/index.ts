/**
 * What a user's app imports as `trowel/cloud` (docs/own-app.md). aws-cdk-lib and constructs come from that app.
 *
 * ```ts
 * import { loadTrowelProject, TrowelProject } from 'trowel/cloud';
 * ```
 */
export { type LoadedProject, type LoadOptions, loadTrowelProject } from './load-project.ts';
export type { MadeMachine } from './machines.ts';
export { ProjectError } from './project-error.ts';
export { TrowelProject, type TrowelProjectProps } from './trowel-project.ts';
export { TrowelStack, type TrowelStackProps } from './trowel-stack.ts';
