import type { Node, Task } from '../language/workflow.ts';
import type { Context, Edge } from './scope.ts';

/** Compiles a node that leaves by `exit`; gives the edge that enters it. */
export type CompileNode = (context: Context, node: Node, exit: Edge) => Edge;

/** Makes the states of an operator: one file each in operators/. `context` is that of the task, its name and export included. */
export type CompileOperator = (context: Context, task: Task, exit: Edge, compileNode: CompileNode) => Edge;
