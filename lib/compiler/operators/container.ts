import type { State } from '../../asl/types.ts';
import { mayStore } from '../../language/operators.ts';
import { put } from '../frame.ts';
import type { CompileOperator } from '../operator.ts';
import { REPEATABLE } from '../retry.ts';
import { leave, leaveStoring } from '../scope.ts';
import { catchers, payload, register, retriers, shared, stateHeartbeat, stateTimeout } from './payload.ts';

/** py>, sh>: one state that hands the task to `launch` and waits for the runner to answer with the task's token. */
export const compileContainer: CompileOperator = (context, task, exit) => {
  const stores = mayStore(task.operator);
  const leaving = stores ? leaveStoring(context, exit, '$states.result') : { fields: leave(context, exit) };
  const name = register(context, context.unit.stateName(context.path), task);
  put(context, name, {
    Type: 'Task',
    Resource: 'arn:aws:states:::lambda:invoke.waitForTaskToken',
    Arguments: {
      FunctionName: '${launch}',
      Payload: {
        ...payload(context, task, task.operator, leaving.m),
        ...(stores ? shared(context) : {}),
        token: '{% $states.context.Task.Token %}',
        n: '{% $states.context.State.RetryCount %}',
      },
    },
    TimeoutSeconds: stateTimeout(context, task),
    HeartbeatSeconds: stateHeartbeat(context, task),
    ...retriers(task, true, REPEATABLE),
    ...catchers(context),
    ...leaving.fields,
  } as State);
  return { to: name, depth: context.levels.length, assign: {} };
};
