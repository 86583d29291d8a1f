/** The machine that waits beside a session, run by the engine on a virtual clock; what it calls is played here. */
import { describe, expect, it } from 'vitest';
import { lintMachine } from '../../../lib/asl/lint.ts';
import type { Json, StateMachine } from '../../../lib/asl/types.ts';
import { ofKind } from '../../../lib/compiler/needs.ts';
import { VirtualClock } from '../../../lib/engine/clock.ts';
import { TaskError } from '../../../lib/engine/errors.ts';
import { execute } from '../../../lib/engine/execution.ts';
import type { Call } from '../../../lib/engine/types.ts';
import { compiledText } from './play.ts';
import { faultsOf } from './validate-all.ts';

const TASK = '_export: {who: me}\n+a: {py>: t.see}\n';
const MAIN = 'arn:aws:states:eu-west-1:123456789012:execution:p-main:run-1';

function slaMachine(sla: string): StateMachine {
  const { nested } = compiledText(`${TASK}sla: ${sla}\n`, {}, { target: 'aws' });
  const machine = nested.main_part_sla;
  if (machine === undefined) throw new Error(`no such machine in ${Object.keys(nested)}`);
  return machine;
}

async function run(sla: string, status: string, broken: readonly string[] = []) {
  const clock = new VirtualClock();
  const start = clock.now();
  const calls: string[] = [];
  const attempt = { root: '', workflow: 'main', execution: MAIN, sla: new Date(start + 3_600_000).toISOString() };
  const invoke = async ({ resource, arguments: given }: Call): Promise<Json> => {
    const { FunctionName, Payload, ExecutionArn } = given as { [name: string]: Json };
    const { t, op, l } = (Payload ?? {}) as { [name: string]: Json };
    const what = FunctionName === undefined ? resource.replace(/^.*:/, '') : `${FunctionName} ${op} ${t}`;
    calls.push(ExecutionArn === undefined ? what : `${what} ${ExecutionArn}`);
    if (op === 'echo') calls.push(JSON.stringify(l));
    if (broken.some((each) => what.includes(each))) throw new TaskError('Trowel.TaskFailed', '{"message":"broken"}');
    return what === 'describeExecution' ? { Status: status } : { Payload: { text: 'x' } };
  };
  const input = { v: 1, l: [{ region: 'eu' }], b: { vars: {}, attempt } } as Json;
  const execution = execute(slaMachine(sla), { input, invoke, clock });
  const outcome = await execution.outcome;
  return { calls, outcome, seconds: Math.round((clock.now() - start) / 1000) };
}

const LOOK = 'describeExecution ${arn_main}:run-1';
const ALERT = '${notify} sla +main^sla^alert';
const STOP = 'stopExecution ${arn_main}:run-1';
const BODY = ['${evaluate} echo +main^sla+x', '[{"region":"eu"},{},[{"who":"me"}]]'];

describe('sla: deployed', () => {
  it.each<[string, string, string, readonly string[]]>([
    ['alerts by default', '{duration: 01:00:00}', 'RUNNING', [LOOK, ALERT]],
    ['is content with a session that has ended', '{time: 02:00, fail: true}', 'SUCCEEDED', [LOOK]],
    ['does not tell of one that has failed', '{time: 02:00}', 'FAILED', [LOOK]],
    ['stops the session', '{time: 02:00, fail: true}', 'RUNNING', [LOOK, ALERT, STOP]],
    ['may only stop it', '{time: 02:00, fail: true, alert: false}', 'RUNNING', [LOOK, STOP]],
    [
      'runs its tasks with what the workflow exports and was given',
      '{time: 02:00, fail: true, +x: {echo>: "${who} in ${region}"}}',
      'RUNNING',
      [LOOK, ALERT, ...BODY, STOP],
    ],
  ])('%s', async (_name, sla, status, expected) => {
    const { calls, outcome, seconds } = await run(sla, status);
    expect(calls).toEqual(expected);
    expect(outcome).toMatchObject({ status: 'SUCCEEDED' });
    expect(seconds).toBe(3600);
  });

  it.each([['notify'], ['evaluate']])('fails if %s does, and stops the session all the same', async (broken) => {
    const { calls, outcome } = await run('{time: 02:00, fail: true, +x: {echo>: "${region}"}}', 'RUNNING', [broken]);
    expect(calls.at(-1)).toBe(STOP);
    expect(outcome).toMatchObject({ status: 'FAILED', error: 'Trowel.TaskFailed', cause: '{"message":"broken"}' });
  });

  it('is started by the first state after session, once, and not waited for', () => {
    const { machine, nested, needs } = compiledText(`${TASK}sla: {time: 02:00}\n`, {}, { target: 'aws' });
    expect(machine.States['+main^sla']).toMatchObject({
      Resource: 'arn:aws:states:::states:startExecution',
      Arguments: { StateMachineArn: '${sm_main_part_sla}', Name: '{% $states.context.Execution.Name %}' },
      Next: '+main+a',
    });
    expect(machine.States.Start).toMatchObject({
      Arguments: { Payload: { sla: { time: '02:00' } } },
      Next: '+main^sla',
    });
    const machines = [machine, ...Object.values(nested)];
    for (const each of machines) expect(lintMachine(each)).toEqual([]);
    expect(faultsOf(machines)).toBe('');
    expect(ofKind(needs, 'machine')).toEqual([
      { kind: 'machine', name: 'main_part_sla', waits: false, machine: 'main', state: '+main^sla' },
    ]);
  });

  it('names what failed to `_error`', () => {
    const text = `${TASK}sla: {time: 02:00}\n_error: {echo>: "\${error.task}"}\n`;
    const { machine, nested } = compiledText(text, {}, { target: 'aws' });
    for (const each of [machine, ...Object.values(nested)]) expect(lintMachine(each)).toEqual([]);
    expect(machine.States['+main^sla']).toMatchObject({
      Catch: [{}, { Assign: { f0: '{% $merge([$states.errorOutput,{"Task":"+main^sla"}]) %}' } }],
    });
  });

  it('may stop the workflow only if it is to', () => {
    const actions = (sla: string) => {
      const { needs } = compiledText(`${TASK}sla: ${sla}\n`, {}, { target: 'aws' });
      return ofKind(needs, 'execution').map(({ action, workflow, machine }) => `${action} ${workflow} by ${machine}`);
    };
    const describe = 'describe main by main_part_sla';
    expect(actions('{time: 02:00}')).toEqual([describe]);
    const stop = 'stop main by main_part_sla';
    expect(actions('{time: 02:00, fail: true}')).toEqual([describe, stop, stop]);
  });

  it('is not in a machine that runs here', () => {
    const { machine, nested } = compiledText(`${TASK}sla: {time: 02:00}\n`);
    expect([Object.keys(machine.States), Object.keys(nested)]).toEqual([['Start', '+main+a', 'Done', 'Failed'], []]);
  });
});
