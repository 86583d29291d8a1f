import type { Json, State } from '../../asl/types.ts';
import { put } from '../frame.ts';
import { literal } from '../jsonata.ts';
import type { CompileOperator } from '../operator.ts';
import { leaveWith } from '../scope.ts';
import { evaluateState } from './evaluate.ts';
import { catchers, register, retriers } from './payload.ts';

/** Services that Step Functions integrates by itself; every other action goes through its general SDK integration. */
const OPTIMIZED = new Set([
  'apigateway',
  'athena',
  'batch',
  'bedrock',
  'codebuild',
  'databrew',
  'dynamodb',
  'ecs',
  'eks',
  'elasticmapreduce',
  'emr-containers',
  'emr-serverless',
  'events',
  'glue',
  'mediaconvert',
  'sagemaker',
  'sns',
  'sqs',
  'states',
]);

/** `service:action` or `service:action.sync` as a resource of the States Language. */
export function resourceOf(command: string): string {
  const [service = '', action = ''] = command.split(':');
  const optimized = OPTIMIZED.has(service) && (service !== 'athena' || action !== '');
  return `arn:aws:states:::${optimized ? '' : 'aws-sdk:'}${service}:${action}`;
}

/** aws>: an SDK integration, with the user's `arguments`; the answer is stored as `aws.last_result`. */
export const compileAws: CompileOperator = (context, task, exit) => {
  const given = (task.keys.arguments ?? {}) as Json;
  const dynamic = JSON.stringify(given).includes('$');
  const name = register(context, context.unit.stateName(context.path), task);
  put(context, name, {
    Type: 'Task',
    Resource: resourceOf(String(task.command)),
    Arguments: dynamic ? '{% $states.input.k.arguments %}' : literal(given),
    ...(typeof task.timeout === 'number' ? { TimeoutSeconds: task.timeout } : {}),
    ...retriers(task, true),
    ...catchers(context),
    ...leaveWith(context, exit, '{"aws":{"last_result":$states.result}}'),
  } as State);
  const entry = { to: name, depth: context.levels.length, assign: {} };
  return dynamic ? evaluateState(context, task, 'aws', entry) : entry;
};

/** lambda>: invokes a function of the user's; its answer is stored as `lambda.last_result`. */
export const compileLambda: CompileOperator = (context, task, exit) => {
  const given = (task.keys.payload ?? {}) as Json;
  const dynamic = JSON.stringify([task.command, given]).includes('$');
  const name = register(context, context.unit.stateName(context.path), task);
  put(context, name, {
    Type: 'Task',
    Resource: 'arn:aws:states:::lambda:invoke',
    Arguments: dynamic
      ? { FunctionName: '{% $states.input.k._command %}', Payload: '{% $states.input.k.payload %}' }
      : { FunctionName: literal(task.command as Json), Payload: literal(given) },
    ...(typeof task.timeout === 'number' ? { TimeoutSeconds: task.timeout } : {}),
    ...retriers(task, true),
    ...catchers(context),
    ...leaveWith(context, exit, '{"lambda":{"last_result":$states.result.Payload}}'),
  } as State);
  const entry = { to: name, depth: context.levels.length, assign: {} };
  return dynamic ? evaluateState(context, task, 'lambda', entry) : entry;
};
