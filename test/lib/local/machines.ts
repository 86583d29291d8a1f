import type { Json, State, StateMachine } from '../../../lib/asl/types.ts';
import type { TaskInfo } from '../../../lib/contract/task-info.ts';
import type { Runnable } from '../../../lib/local/run/run-options.ts';

type Keys = { readonly [key: string]: Json };

export interface TestTask {
  readonly name: string;
  readonly op: string;
  readonly keys: Keys;
  /** Retriers beside none. */
  readonly retry?: Json;
  readonly timeout?: number;
}

/** What the compiler would make of a sequence of tasks, near enough: session first, one layer, one state a task. */
export function sequence(tasks: readonly TestTask[], workflow = 'main'): Runnable {
  const states: { [name: string]: State } = { Start: sessionState(workflow, tasks[0]?.name ?? 'Done') };
  for (const [i, task] of tasks.entries()) states[task.name] = taskState(task, tasks[i + 1]?.name ?? 'Done');
  return compiledOf(states, tasks);
}

/** The tasks at once, as branches that always succeed; the machine fails if one of them did. */
export function parallel(tasks: readonly TestTask[]): Runnable {
  const branches = tasks.map((task) => ({
    StartAt: task.name,
    States: {
      [task.name]: {
        ...taskState(task, ''),
        Next: undefined,
        Assign: undefined,
        End: true,
        Output: { stored: '{% $states.result.s %}' },
        Catch: [
          { ErrorEquals: ['States.ALL'], Output: { failed: '{% $states.errorOutput %}' }, Next: `${task.name}^failed` },
        ],
      },
      [`${task.name}^failed`]: { Type: 'Pass', End: true },
    },
  }));
  const states = {
    Start: sessionState('main', 'Parallel'),
    Parallel: { Type: 'Parallel', Branches: branches, Output: '{% [$states.result.failed] %}', Next: 'Join' },
    Join: {
      Type: 'Choice',
      Choices: [
        { Condition: '{% $count($states.input) > 0 %}', Assign: { f0: '{% $states.input[0] %}' }, Next: 'Failed' },
      ],
      Default: 'Done',
    },
  };
  return compiledOf(JSON.parse(JSON.stringify(states)) as { [name: string]: State }, tasks);
}

function compiledOf(states: { readonly [name: string]: State }, tasks: readonly TestTask[]): Runnable {
  const machine: StateMachine = {
    QueryLanguage: 'JSONata',
    StartAt: 'Start',
    States: {
      ...states,
      Done: { Type: 'Succeed' },
      Failed: { Type: 'Fail', Error: '{% $f0.Error %}', Cause: '{% $f0.Cause %}' },
    },
  };
  const table: { [state: string]: TaskInfo } = {};
  for (const [i, { name, op }] of tasks.entries()) table[name] = { operator: op, at: `main.dig:${i + 1}`, task: name };
  return { machine, nested: {}, tasks: table };
}

export function sessionState(workflow: string, next: string): State {
  return {
    Type: 'Task',
    Resource: 'arn:aws:states:::lambda:invoke',
    Arguments: {
      FunctionName: '${session}',
      Payload: { v: 1, workflow, timezone: 'UTC', execution: EXECUTION, input: '{% $states.input %}' },
    },
    Assign: { s0: '{% $states.result.Payload.params %}', b: '{% $states.result.Payload.b %}', f0: {} },
    Output: {},
    Next: next,
    Catch: [CAUGHT],
  };
}

const EXECUTION = {
  Id: '{% $states.context.Execution.Id %}',
  Name: '{% $states.context.Execution.Name %}',
  StartTime: '{% $states.context.Execution.StartTime %}',
};

const CAUGHT = { ErrorEquals: ['States.ALL'], Assign: { f0: '{% $states.errorOutput %}' }, Next: 'Failed' };

function taskState(task: TestTask, next: string): State {
  const native = task.op === 'http' || task.op === 'notify';
  return {
    Type: 'Task',
    Resource: native ? 'arn:aws:states:::lambda:invoke' : 'arn:aws:states:::lambda:invoke.waitForTaskToken',
    Arguments: {
      FunctionName: native ? `\${${task.op}}` : '${launch}',
      Payload: {
        v: 1,
        ...(native ? {} : { token: '{% $states.context.Task.Token %}' }),
        t: task.name,
        op: task.op,
        l: '{% [$s0] %}',
        m: 1,
        b: '{% $b %}',
        k: task.keys,
        n: '{% $states.context.State.RetryCount %}',
      },
    },
    ...(task.timeout === undefined ? {} : { TimeoutSeconds: task.timeout }),
    Retry: (task.retry ?? []) as never,
    Catch: [CAUGHT],
    Assign: { s0: native ? '{% $states.result.Payload.s %}' : '{% $states.result.s %}' },
    Output: {},
    Next: next,
  };
}
