import { describe, expect, it } from 'vitest';
import type { Json, StateMachine } from '../../../lib/asl/types.ts';
import { withParameters } from '../../../lib/cloud/session-defaults.ts';

const MACHINE = {
  StartAt: 'Start',
  States: {
    Start: {
      Type: 'Task',
      Resource: 'arn:aws:states:::lambda:invoke',
      Arguments: { FunctionName: '${session}', Payload: { input: '{% $states.input %}' } },
      End: true,
    },
  },
} as unknown as StateMachine;

describe('parameters of trowel.yml', () => {
  it('are given to `session`, as text that is no expression', () => {
    const params = { region: 'eu', text: '{% 1 %}', db: { host: 'a', port: 1 } };
    const machine = withParameters(MACHINE, params) as unknown as {
      readonly States: { readonly Start: { readonly Arguments: { readonly Payload: Json } } };
    };
    expect(machine.States.Start.Arguments.Payload).toEqual({
      input: '{% $states.input %}',
      defaults: { ...params, text: '{% "{"&"% 1 %}" %}' },
    });
  });

  it('change nothing where there are none', () => {
    expect(withParameters(MACHINE, {})).toBe(MACHINE);
  });
});
