import { present } from '../../asl/present.ts';
import type { State } from '../../asl/types.ts';
import { mayStore } from '../../language/operators.ts';
import { put } from '../frame.ts';
import type { CompileOperator } from '../operator.ts';
import { catchers, ownCall, ownKeys, register, retriers, shared, stateHeartbeat, stateTimeout } from '../payload.ts';
import { REPEATABLE } from '../retry.ts';
import { leave, leaveStoring } from '../scope.ts';
import { containerOf, DEFAULT_DEFINITION, spotNeeds } from '../task-needs.ts';

/** py>, sh>: one state that hands the task to `launch` and waits for the runner to answer with the task's token. */
export const compileContainer: CompileOperator = (context, task, exit) => {
  const stores = mayStore(task.operator);
  const leaving = stores ? leaveStoring(context, exit, '$states.result') : { fields: leave(context, exit) };
  const name = register(context, context.unit.stateName(context.path), task);
  const { deploy } = context.unit.program;
  const container = containerOf(task.operator, ownKeys(context, task), deploy?.secrets ?? []);
  context.unit.needs(name, { kind: 'container', ...container }, ...spotNeeds(context.spot));
  const more = {
    ...(stores ? shared(context) : {}),
    token: '{% $states.context.Task.Token %}',
    n: '{% $states.context.State.RetryCount %}',
    ...present({
      d: deploy === undefined || container.definition === DEFAULT_DEFINITION ? undefined : container.definition,
    }),
  };
  put(context, name, {
    Type: 'Task',
    Resource: 'arn:aws:states:::lambda:invoke.waitForTaskToken',
    Arguments: ownCall(context, name, 'launch', task, task.operator, more, leaving.m),
    TimeoutSeconds: stateTimeout(context, task),
    HeartbeatSeconds: stateHeartbeat(context, task),
    ...retriers(task, true, REPEATABLE),
    ...catchers(context),
    ...leaving.fields,
  } as State);
  return { to: name, depth: context.levels.length, assign: {} };
};
