import type { ChoiceState, Template } from '../../asl/types.ts';
import { StateError } from '../errors.ts';
import type { StateRun, Transition } from '../state-run.ts';

/** The first rule that is true is taken, with its own Assign and Output; the state's own apply only to Default. */
export async function runChoice(at: StateRun, state: ChoiceState): Promise<Transition> {
  for (const [index, rule] of state.Choices.entries()) {
    const condition: Template = rule.Condition;
    if (await at.evaluateTyped(condition, `Choices[${index}]/Condition`, 'boolean')) {
      return at.leave(rule, at.input, {}, `Choices[${index}]/`);
    }
  }
  if (state.Default === undefined) {
    throw new StateError(
      'States.NoChoiceMatched',
      at.explain('Failed to transition out of the state. The state does not point to a next state.'),
      { eventId: at.frame.lastEvent },
    );
  }
  return at.leave({ Assign: state.Assign, Output: state.Output, Next: state.Default }, at.input);
}
