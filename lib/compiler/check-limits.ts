/** Limits of Step Functions that a compiled machine can be held against; lib/asl/limits.ts has the numbers. */
import { LIMITS } from '../asl/limits.ts';
import type { Processor, State, StateMachine } from '../asl/types.ts';
import type { Span } from '../language/diagnostic.ts';
import type { Node, Workflow } from '../language/workflow.ts';
import { definitionText } from './definition-text.ts';
import type { Program } from './unit.ts';

const KIB = 1024;

export function checkLimits(program: Program, workflow: Workflow, machine: StateMachine): void {
  const json = JSON.stringify(machine);
  // At most: with each `${` written as `\u0024{`. The exact text takes longer to make.
  let bytes = Buffer.byteLength(json) + 5 * (json.split('${').length - 1);
  if (bytes > LIMITS.definitionBytes) bytes = Buffer.byteLength(definitionText(machine));
  if (bytes > LIMITS.definitionBytes) {
    report(
      program,
      'limit-definition',
      workflow.root.span,
      `the state machine of ${workflow.name} would have ${Math.ceil(bytes / KIB)} KiB, and Step Functions takes ${LIMITS.definitionBytes / KIB}`,
      'Put large texts into files or parameters, or move a part into a workflow of its own and start it with require>.',
    );
  }
  checkStates(program, workflow, machine);
}

/** A part that the splitter could not make small enough; `node` is what one machine would hold. */
export function checkHistory(program: Program, node: Node): void {
  const events = program.excess.get(node);
  if (events === undefined) return;
  report(
    program,
    'limit-history',
    node.span,
    `a run of this would have some ${events} events, and the history of an execution holds ${LIMITS.historyEvents}`,
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
        'Start the later part with a schedule of its own.',
      );
    }
    if (state.Type === 'Parallel') for (const branch of state.Branches) checkStates(program, workflow, branch);
    if (state.Type === 'Map') checkStates(program, workflow, state.ItemProcessor);
  }
}

/** What is known of a state's size before it runs: its literal arguments, and the literals it assigns. */
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

function report(
  program: Program,
  code: 'limit-definition' | 'limit-history' | 'limit-payload' | 'bad-duration',
  span: Span,
  message: string,
  note: string,
): void {
  program.diagnostics.push({ code, severity: 'error', span, message, notes: [note] });
}
