/** Limits of Step Functions that a compiled machine can be held against; lib/asl/limits.ts has the numbers. */
import { LIMITS } from '../asl/limits.ts';
import type { Processor, State, StateMachine } from '../asl/types.ts';
import type { Span } from '../language/diagnostic.ts';
import type { Node, Workflow } from '../language/workflow.ts';
import { definitionText } from './definition-text.ts';
import type { Program } from './unit.ts';

const KIB = 1024;

export function checkLimits(program: Program, workflow: Workflow, machine: StateMachine): void {
  const bytes = definitionBytes(machine);
  if (bytes > LIMITS.definitionBytes) {
    const { name, size } = largest(machine);
    const span = program.spans.get(name);
    const at = span === undefined ? '' : ` (${span.file}:${program.line(span)})`;
    report(
      program,
      'limit-definition',
      span ?? workflow.root.span,
      `the state machine of ${workflow.name} would have ${Math.ceil(bytes / KIB)} KiB, and Step Functions takes ${LIMITS.definitionBytes / KIB}`,
      `The largest of its ${count(machine)} states, ${name}${at}, has ${Math.ceil(size / KIB)} KiB. Put large texts into files or parameters, or move a part into a separate workflow and start it with require>.`,
    );
  }
  checkStates(program, workflow, machine);
}

/** At most: with each `${` written as `\u0024{`; if that is too much, the exact number, which takes longer to find. */
function definitionBytes(machine: StateMachine): number {
  let bytes = 0;
  // State by state: the text of all of a large machine takes much memory.
  for (const [name, state] of Object.entries(machine.States)) {
    const json = JSON.stringify(state);
    bytes += Buffer.byteLength(json) + 5 * (json.split('${').length - 1) + Buffer.byteLength(JSON.stringify(name)) + 2;
  }
  const { States: _, ...others } = machine;
  bytes += Buffer.byteLength(JSON.stringify({ ...others, States: {} }));
  return bytes > LIMITS.definitionBytes ? Buffer.byteLength(definitionText(machine)) : bytes;
}

/** Within branches and iterations too. */
function largest(machine: Processor | StateMachine): { readonly name: string; readonly size: number } {
  let found = { name: '', size: 0 };
  for (const [name, state] of Object.entries(machine.States)) {
    const within = processorsOf(state).map(largest);
    const own = within.length === 0 ? [{ name, size: Buffer.byteLength(JSON.stringify(state)) }] : within;
    for (const each of own) if (each.size > found.size) found = each;
  }
  return found;
}

function count(machine: Processor | StateMachine): number {
  const states = Object.values(machine.States);
  return states.reduce((sum, state) => sum + 1 + processorsOf(state).reduce((all, each) => all + count(each), 0), 0);
}

function processorsOf(state: State): readonly Processor[] {
  if (state.Type === 'Parallel') return state.Branches;
  return state.Type === 'Map' ? [state.ItemProcessor] : [];
}

/** A part that the splitter could not make small enough; `node` is what one machine would hold. */
export function checkHistory(program: Program, node: Node): void {
  const events = program.excess.get(node);
  if (events === undefined) return;
  report(
    program,
    'limit-history',
    node.span,
    `a run of this would have about ${events} events, but the history of an execution in Step Functions can have only ${LIMITS.historyEvents}`,
    'Put parts of it into groups, which are split off by themselves, or into a workflow of their own that require> starts.',
  );
}

function checkStates(program: Program, workflow: Workflow, machine: Processor | StateMachine): void {
  for (const [name, state] of Object.entries(machine.States)) {
    const span = program.spans.get(name) ?? workflow.root.span;
    checkSizes(program, span, state);
    if (state.Type === 'Wait' && typeof state.Seconds === 'number' && state.Seconds > LIMITS.waitSeconds) {
      report(
        program,
        'bad-duration',
        span,
        `a task may wait a year at most`,
        'Start the later part with its own schedule.',
      );
    }
    for (const processor of processorsOf(state)) checkStates(program, workflow, processor);
  }
}

/** The part of a state's size that is known before a run: its literal arguments, and the literals it assigns. */
function checkSizes(program: Program, span: Span, state: State): void {
  const fields: readonly (readonly [string, unknown])[] = [
    ['keys', 'Arguments' in state ? state.Arguments : undefined],
    ['variables', 'Assign' in state ? state.Assign : undefined],
  ];
  for (const [what, value] of fields) {
    const bytes = value === undefined ? 0 : Buffer.byteLength(JSON.stringify(value));
    if (bytes <= LIMITS.payloadBytes) continue;
    report(
      program,
      'limit-payload',
      span,
      `the ${what} of this task have ${Math.ceil(bytes / KIB)} KiB, and Step Functions passes ${LIMITS.payloadBytes / KIB} at most`,
      'Read large data in the task, from a file of the project; of a long list, pass numbers (for_range>) and look the items up in the task.',
    );
  }
}

/** Limits that the engine here does not have are an error only if the machine will be deployed. */
const ELSEWHERE = new Set(['limit-definition', 'limit-history']);

function report(
  program: Program,
  code: 'limit-definition' | 'limit-history' | 'limit-payload' | 'bad-duration',
  span: Span,
  message: string,
  note: string,
): void {
  const severity = ELSEWHERE.has(code) ? program.limits : 'error';
  program.diagnostics.push({ code, severity, span, message, notes: [note] });
}
