import type jsonata from 'jsonata';
import { type AstNode, walkAst } from '../asl/expression.ts';
import { LIMITS } from '../asl/limits.ts';
import { checkMemory } from './memory.ts';

/**
 * The service ends an evaluation that is too deep or takes too long. Its time limit is not documented; this one is far above any normal
 * evaluation.
 */
const LONGEST_MS = 10_000;

/** The names of callbacks that jsonata calls before and after it evaluates a node. */
const ENTRY = Symbol.for('jsonata.__evaluate_entry');
const EXIT = Symbol.for('jsonata.__evaluate_exit');

interface Evaluation {
  depth: number;
  readonly until: number;
}

/** The parts of a constructor that is being evaluated: whether one part is under way, and the waiting ones in order. */
interface Row {
  busy: boolean;
  readonly waiting: (() => void)[];
}

/**
 * Makes an expression fail beyond LIMITS.jsonataDepth frames, LONGEST_MS or the memory of memory.ts. jsonata evaluates the parts of an
 * array or object constructor at the same time, so siblings would count as if they were nested; here each part waits for the one before it.
 */
export function guardDepth(expression: jsonata.Expression, root: AstNode): void {
  const constructors = constructorOfParts(root);
  const evaluations = new WeakMap<Date, Evaluation>();
  // Rows are kept by frame, since one of a constructor's parts may enter the same constructor again, in another frame.
  const rows = new WeakMap<Frame, Map<AstNode, Row>>();

  const evaluationIn = ({ timestamp }: Frame): Evaluation => {
    let evaluation = evaluations.get(timestamp);
    if (evaluation === undefined) {
      evaluation = { depth: 0, until: Date.now() + LONGEST_MS };
      evaluations.set(timestamp, evaluation);
    }
    return evaluation;
  };
  const rowOf = (node: AstNode, frame: Frame): Row | undefined => {
    const builder = constructors.get(node);
    if (builder === undefined) return undefined;
    let inFrame = rows.get(frame);
    if (inFrame === undefined) {
      inFrame = new Map();
      rows.set(frame, inFrame);
    }
    let row = inFrame.get(builder);
    if (row === undefined) {
      row = { busy: false, waiting: [] };
      inFrame.set(builder, row);
    }
    return row;
  };

  const assign = expression.assign.bind(expression) as (name: unknown, value: unknown) => void;
  assign(ENTRY, (node: AstNode, _input: unknown, frame: Frame): Promise<void> | undefined => {
    const evaluation = evaluationIn(frame);
    const row = rowOf(node, frame);
    if (row?.busy) return new Promise<void>((resolve) => row.waiting.push(resolve)).then(() => enter(evaluation));
    if (row !== undefined) row.busy = true;
    enter(evaluation);
    return undefined;
  });
  assign(EXIT, (node: AstNode, _input: unknown, frame: Frame, result: unknown): void => {
    evaluationIn(frame).depth -= 1;
    checkMemory(result);
    const row = rowOf(node, frame);
    const next = row?.waiting.shift();
    if (next !== undefined) {
      next();
    } else if (row !== undefined) {
      row.busy = false;
    }
  });
}

/** jsonata's environment. The time stamp is made anew for each evaluation and shared by all its frames. */
interface Frame {
  readonly timestamp: Date;
}

function constructorOfParts(root: AstNode): Map<AstNode, AstNode> {
  const found = new Map<AstNode, AstNode>();
  walkAst(root, (node) => {
    if (node.type === 'unary' && node.value === '[') {
      for (const part of node.expressions ?? []) {
        found.set(part, node);
      }
    }
    const pairs = node.type === 'unary' && node.value === '{' ? node.lhs : node.group?.lhs;
    for (const pair of Array.isArray(pairs) ? pairs : []) {
      found.set(pair[1], node);
    }
  });
  return found;
}

function enter(evaluation: Evaluation): void {
  evaluation.depth += 1;
  if (evaluation.depth > LIMITS.jsonataDepth) {
    throw { code: 'U1001', message: `Stack overflow error: more than ${LIMITS.jsonataDepth} frames` };
  }
  if (Date.now() > evaluation.until) {
    throw { code: 'U1001', message: `Expression evaluation timeout: ${LONGEST_MS / 1000} seconds` };
  }
}
