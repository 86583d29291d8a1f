import type { KindSpec, OperatorKind } from './spec.ts';

/** What is the same for all operators of a kind. */
export const KINDS: { readonly [kind in OperatorKind]: KindSpec } = {
  container: { oneState: true, repeatsItself: true, leadsToTasks: false, instant: false, byRunner: true },
  function: { oneState: true, repeatsItself: true, leadsToTasks: false, instant: false, byRunner: false },
  print: { oneState: true, repeatsItself: true, leadsToTasks: false, instant: true, byRunner: true },
  failure: { oneState: true, repeatsItself: false, leadsToTasks: false, instant: true, byRunner: true },
  repeat: { oneState: false, repeatsItself: false, leadsToTasks: true, instant: true, byRunner: false },
  condition: { oneState: false, repeatsItself: false, leadsToTasks: true, instant: true, byRunner: false },
  inline: { oneState: false, repeatsItself: false, leadsToTasks: true, instant: true, byRunner: false },
  session: { oneState: false, repeatsItself: false, leadsToTasks: false, instant: false, byRunner: false },
  pause: { oneState: false, repeatsItself: true, leadsToTasks: false, instant: false, byRunner: false },
  poll: { oneState: false, repeatsItself: false, leadsToTasks: false, instant: false, byRunner: false },
  service: { oneState: false, repeatsItself: true, leadsToTasks: false, instant: false, byRunner: false },
  invocation: { oneState: false, repeatsItself: true, leadsToTasks: false, instant: false, byRunner: false },
};
