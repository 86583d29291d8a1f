/**
 * A cold Fargate container a task. What the task is to do is an object in S3, under a key made from the token's hash; the container is given
 * nothing but a signed address of it, for overrides may hold 8,192 characters only, and its role may not read what other tasks are given.
 */

import {
  type ContainerOverride,
  ECSClient,
  ListTasksCommand,
  RunTaskCommand,
  type RunTaskCommandInput,
  StopTaskCommand,
  type TaskOverride,
} from '@aws-sdk/client-ecs';
import { present } from '../../../lib/asl/present.ts';
import type { Beside, Job } from '../../../lib/contract/assignment.ts';
import { ASSIGNMENT, type AssignmentFile, assignmentUri } from '../../../lib/contract/assignment-file.ts';
import { definitionOf, type TaskDefinition } from '../../../lib/contract/definition-table.ts';
import { BESIDE } from '../../../lib/contract/deployed-names.ts';
import { ERRORS, TrowelError } from '../../../lib/contract/errors.ts';
import type { LaunchPayload } from '../../../lib/contract/payload.ts';
import { secretVariable } from '../../../lib/contract/secret-variable.ts';
import { refusal, shortage } from '../../../lib/functions/ecs-errors.ts';
import type { Compute, Started } from '../../../lib/functions/launch/compute.ts';
import { asSeconds } from '../../../lib/language/duration.ts';
import type { Objects } from '../../aws/objects.ts';
import { list, optional, setting } from '../../aws/settings.ts';
import type { MakeCompute } from './make-compute.ts';
import { sizeOf } from './resources.ts';

interface EcsOptions {
  readonly ecs: ECSClient;
  readonly objects: Objects;
  readonly cluster: string;
  readonly subnets: readonly string[];
  readonly securityGroups: readonly string[];
  readonly assignPublicIp: 'ENABLED' | 'DISABLED';
  readonly definition: TaskDefinition;
  /** Whether tasks run on Spot unless their `resources` say otherwise. */
  readonly spot: boolean;
  /** A further try of the same state: on demand, for Spot may have been the reason. */
  readonly again: boolean;
  /** ARN of the role that the workflow's tasks have; without it that of the definition. */
  readonly taskRole?: string | undefined;
  /** The function that renders templates of dynamic subtasks. */
  readonly evaluate?: string | undefined;
  /** Seconds of silence after which states give a task up, unless its `resources` say otherwise. */
  readonly heartbeat?: number | undefined;
}

/** Characters of JSON; the API's limit on the overrides of all containers together. */
const OVERRIDES = 8_192;

/**
 * Seconds that an address holds, or as long as the state waits for a sign of the container. It ends with this function's own credentials,
 * too.
 */
const ADDRESS = 900;

class EcsCompute implements Compute {
  readonly #options: EcsOptions;

  constructor(options: EcsOptions) {
    this.#options = options;
  }

  async offer(): Promise<boolean> {
    return false;
  }

  /** Doing it twice with the same job starts one container. */
  async start(job: Job): Promise<Started> {
    const { objects, evaluate } = this.#options;
    const place = assignmentUri(objects.bucket, job.id);
    const heartbeat = asSeconds(job.resources?.heartbeat) || this.#options.heartbeat;
    const signed = await objects.address(place, Math.max(ADDRESS, heartbeat ?? 0));
    // Too large a request fails before anything is written.
    this.#request(job, signed);
    const file = (address: string): AssignmentFile => ({
      v: 1,
      token: job.token,
      address,
      assignment: job.assignment,
      secrets_env: Object.fromEntries(job.secrets.map((key) => [key, secretVariable(key)])),
      ...present({ evaluate, heartbeat }),
    });
    // A repeated launch gives the address that the first one gave: ECS refuses the same token with other parameters.
    const { address } = (await objects.writeOnce(place, file(signed))) as AssignmentFile;
    if (address !== signed) await objects.write(place, file(address));
    const request = this.#request(job, address);
    try {
      const { tasks = [], failures = [] } = await this.#options.ecs.send(new RunTaskCommand(request));
      // An answer of 200 may say that nothing was started.
      if (tasks.length === 0) throw shortage(failures, this.#options.subnets);
      return present({ taskArn: tasks[0]?.taskArn });
    } catch (error) {
      const { name, resourceIds } = error as { readonly name?: string; readonly resourceIds?: readonly string[] };
      // The token's first call has started a task, with other parameters: on Spot, or before a deploy.
      if (name === 'ConflictException' && resourceIds?.[0] !== undefined) return { taskArn: resourceIds[0] };
      throw refusal(error, this.#options.subnets);
    }
  }

  async stop(id: string): Promise<void> {
    const { ecs, cluster } = this.#options;
    const { taskArns = [] } = await ecs.send(new ListTasksCommand({ cluster, startedBy: id }));
    await Promise.all(
      taskArns.map((task) =>
        ecs.send(new StopTaskCommand({ cluster, task, reason: 'the task was stopped by Trowel' })),
      ),
    );
  }

  #request(job: Job, address: string): RunTaskCommandInput {
    const { cluster, subnets, securityGroups, assignPublicIp, definition, taskRole, again } = this.#options;
    const { task, container, spot = this.#options.spot } = sizeOf(job.resources, definition.size);
    const overrides: TaskOverride = {
      ...task,
      ...present({ taskRoleArn: taskRole }),
      containerOverrides: [
        { name: definition.container, environment: [{ name: ASSIGNMENT, value: address }], ...container },
        ...(job.beside === undefined ? [] : [besideOverride(job.beside)]),
      ],
    };
    const length = JSON.stringify(overrides).length;
    if (length > OVERRIDES) {
      throw new TrowelError(
        ERRORS.badInput,
        `The container's overrides have ${length} characters, ECS takes ${OVERRIDES}`,
      );
    }
    return {
      cluster,
      taskDefinition: definition.arn,
      count: 1,
      clientToken: job.id,
      startedBy: job.id,
      ...(spot && !again
        ? { capacityProviderStrategy: [{ capacityProvider: 'FARGATE_SPOT', weight: 1 }] }
        : { launchType: 'FARGATE' as const }),
      networkConfiguration: {
        awsvpcConfiguration: { subnets: [...subnets], securityGroups: [...securityGroups], assignPublicIp },
      },
      overrides,
    };
  }
}

function besideOverride({ command, env }: Beside): ContainerOverride {
  const variables = env && Object.entries(env).map(([name, value]) => ({ name, value }));
  return { name: BESIDE, ...present({ command: command && [...command], environment: variables }) };
}

let client: ECSClient | undefined;

/** Made from the settings that the construct gives the function. */
export const ecs: MakeCompute = ({ event, objects }) => {
  client ??= new ECSClient({});
  return new EcsCompute({
    ecs: client,
    objects,
    cluster: setting('TROWEL_CLUSTER'),
    subnets: list('TROWEL_SUBNETS'),
    securityGroups: list('TROWEL_SECURITY_GROUPS'),
    assignPublicIp: optional('TROWEL_ASSIGN_PUBLIC_IP') === 'ENABLED' ? 'ENABLED' : 'DISABLED',
    definition: definitionOf(JSON.parse(setting('TROWEL_TASK_DEFINITIONS')), event.d),
    spot: optional('TROWEL_SPOT') === 'true',
    again: isFurtherTry(event),
    evaluate: optional('TROWEL_RENDER'),
    taskRole: event.b.attempt.taskRole,
    heartbeat: Number(optional('TROWEL_HEARTBEAT')) || undefined,
  });
};

/** A further try by Retry of the state, or by the edges that `_retry` with `_check`, an expression or a group becomes. */
function isFurtherTry({ n = 0, r = [] }: LaunchPayload): boolean {
  return n > 0 || r.some((tries) => tries > 0);
}
