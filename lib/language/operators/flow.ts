/** Operators that decide what runs, how often and when: call>, require>, loops, if>, wait>. */
import { flag, type OperatorSpec, text } from './spec.ts';

export const FLOW: { readonly [operator: string]: OperatorSpec } = {
  call: {
    description: "Runs another workflow's tasks here.",
    kind: 'inline',
    command: text('File, relative to the folder of this workflow, with or without `.dig`.', { required: true }),
    options: {},
    stores: 'nothing',
  },
  require: {
    description: 'Runs another workflow once, as a separate session, and waits for it.',
    kind: 'session',
    command: text('Name of the workflow.', { required: true }),
    options: {
      session_time: text('Session time of the other workflow (ISO 8601). Default: that of this one.'),
      project_id: { type: 'any', description: "digdag's project id; only this project is known here." },
      project_name: text("digdag's project name; only this project is known here."),
      rerun_on: text('Whether to run a session again that has ended.', {
        oneOf: ['none', 'failed', 'all'],
        default: 'none',
      }),
      ignore_failure: flag('Continue if the other workflow fails.', false),
      params: { type: 'mapping', default: {}, description: 'Session parameters of the other workflow.' },
      retry_attempt_name: text('Name of the new attempt.'),
    },
    stores: 'nothing',
  },
  loop: {
    description: 'Runs `_do` a number of times; `i` counts from 0.',
    kind: 'repeat',
    over: 'count',
    command: { type: 'integer', description: 'Number of iterations.' },
    commandElsewhere: ['count'],
    options: { count: { type: 'integer', description: 'Number of iterations; overrides the value of loop>.' } },
    stores: 'nothing',
  },
  for_each: {
    description: 'Runs `_do` for each combination of values, the first key outermost.',
    kind: 'repeat',
    over: 'lists',
    command: {
      type: ['mapping', 'text'],
      required: true,
      description: 'Mapping from variable names to lists, or its JSON text.',
    },
    options: {},
    stores: 'nothing',
  },
  for_range: {
    description: 'Runs `_do` for each part of a range; `range.from`, `range.to`, `range.index`.',
    kind: 'repeat',
    over: 'range',
    command: {
      type: ['mapping', 'text'],
      required: true,
      description: '`from`, `to`, and `step` or `slices`.',
      keys: {
        from: { type: 'integer', required: true, description: 'First value.' },
        to: { type: 'integer', required: true, description: 'End, exclusive.' },
        step: { type: 'integer', description: 'Size of a part.' },
        slices: { type: 'integer', description: 'Number of parts.' },
      },
    },
    options: {},
    stores: 'nothing',
  },
  if: {
    description: 'Runs `_do` if the value is true, else `_else_do`.',
    kind: 'condition',
    command: {
      type: 'boolean',
      emptyIsFalse: true,
      description: '`true`, `false`, or an expression that gives one of them.',
    },
    options: {},
    stores: 'nothing',
  },
  wait: {
    description: 'Waits.',
    kind: 'pause',
    command: { type: 'duration', required: true, description: 'Such as 30s, 10m, 1h 30m, 1d.' },
    options: {
      blocking: flag('Accepted for digdag; no effect.', false),
      poll_interval: { type: 'duration', description: 'Accepted for digdag; no effect.' },
    },
    stores: 'nothing',
  },
};
