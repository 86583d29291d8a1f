import type { KindSpec, OperatorKind } from './spec.ts';

/** Facts that are the same for all operators of a kind. */
export const KINDS: { readonly [kind in OperatorKind]: KindSpec } = {
  container: { oneState: true, severalStates: false, leadsToTasks: false, instant: false, byRunner: true },
  function: { oneState: true, severalStates: false, leadsToTasks: false, instant: false, byRunner: false },
  print: { oneState: true, severalStates: false, leadsToTasks: false, instant: true, byRunner: true },
  failure: { oneState: true, severalStates: true, leadsToTasks: false, instant: true, byRunner: true },
  repeat: { oneState: false, severalStates: true, leadsToTasks: true, instant: true, byRunner: false },
  condition: { oneState: false, severalStates: true, leadsToTasks: true, instant: true, byRunner: false },
  inline: { oneState: false, severalStates: true, leadsToTasks: true, instant: true, byRunner: false },
  session: { oneState: false, severalStates: true, leadsToTasks: false, instant: false, byRunner: false },
  pause: { oneState: false, severalStates: false, leadsToTasks: false, instant: false, byRunner: false },
  poll: { oneState: false, severalStates: true, leadsToTasks: false, instant: false, byRunner: false },
  service: { oneState: false, severalStates: false, leadsToTasks: false, instant: false, byRunner: false },
  invocation: { oneState: false, severalStates: false, leadsToTasks: false, instant: false, byRunner: false },
};
