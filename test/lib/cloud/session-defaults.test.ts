import jsonata from 'jsonata';
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

/** What `session` is given for an execution's input. */
async function inputOf(machine: StateMachine, input: Json): Promise<unknown> {
  const { Start } = machine.States as unknown as {
    readonly Start: { readonly Arguments: { readonly Payload: { readonly input: string } } };
  };
  const { Payload } = Start.Arguments;
  const answer = await jsonata(Payload.input.slice(2, -2)).evaluate({}, { states: { input } });
  return JSON.parse(JSON.stringify(answer));
}

describe('parameters of trowel.yml', () => {
  const machine = withParameters(MACHINE, {
    region: 'eu',
    text: '${x} "{% 1 %}"',
    db: { host: 'a', port: 1 },
    list: [1],
  });

  it.each<[string, Json, unknown]>([
    ['nothing', {}, { params: { region: 'eu', text: '${x} "{% 1 %}"', db: { host: 'a', port: 1 }, list: [1] } }],
    [
      'other values, which merge deeply',
      { session_time: '2030-01-01', params: { region: 'us', db: { port: 2 }, list: [2, 3] } },
      {
        session_time: '2030-01-01',
        params: { region: 'us', text: '${x} "{% 1 %}"', db: { host: 'a', port: 2 }, list: [2, 3] },
      },
    ],
    // Session refuses these.
    ['params that are no mapping', { params: 1 }, { params: 1 }],
    ['no mapping at all', 'x', 'x'],
  ])('stand under an input of %s', async (_, input, expected) => {
    expect(await inputOf(machine, input)).toEqual(expected);
  });

  it('change nothing where there are none', () => {
    expect(withParameters(MACHINE, {})).toBe(MACHINE);
  });
});
