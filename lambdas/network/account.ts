import {
  CloudFormationClient,
  CreateStackCommand,
  DescribeStacksCommand,
  paginateDescribeStackEvents,
  paginateListStackResources,
  UpdateTerminationProtectionCommand,
} from '@aws-sdk/client-cloudformation';
import type { NetworkAccount } from '../../lib/functions/network/core.ts';
import { readParameter } from '../../lib/functions/network/parameters.ts';
import { NETWORK_PARAMETER, NETWORK_STACK, NETWORK_TEMPLATE } from '../../lib/functions/network/template.ts';
import { logger } from '../aws/logger.ts';

/** Milliseconds between two looks at a stack that is being made, which takes a minute or two. */
const PAUSE = 5_000;
/** Milliseconds kept for the answer. */
const RESERVE = 30_000;

/** @param left milliseconds that the function has */
export function networkAccount(left: () => number): NetworkAccount {
  const client = new CloudFormationClient({});
  return {
    parameter: () => readParameter(NETWORK_PARAMETER, client.config),
    stack: async (StackName) => {
      try {
        const { Stacks: [stack] = [] } = await client.send(new DescribeStacksCommand({ StackName }));
        return stack && { id: stack.StackId ?? '', status: stack.StackStatus ?? '' };
      } catch (error) {
        if (/does not exist/.test((error as Error).message)) return undefined;
        throw error;
      }
    },
    create: async () => {
      try {
        const { StackId } = await client.send(
          new CreateStackCommand({
            StackName: NETWORK_STACK,
            TemplateBody: JSON.stringify(NETWORK_TEMPLATE),
            // A stack that fails is deleted, so that it is not in the way of the next deploy; its events can still be read by the stack's id.
            OnFailure: 'DELETE',
          }),
        );
        return StackId;
      } catch (error) {
        if ((error as Error).name !== 'AlreadyExistsException') throw error;
        return undefined;
      }
    },
    events: async (StackName) => {
      const found = [];
      for await (const { StackEvents = [] } of paginateDescribeStackEvents({ client }, { StackName }))
        found.push(...StackEvents);
      return found.reverse().map((event) => ({
        type: event.ResourceType ?? '',
        id: event.LogicalResourceId ?? '',
        status: event.ResourceStatus ?? '',
        reason: event.ResourceStatusReason ?? '',
      }));
    },
    // Not while it is made: a protected stack that fails is not deleted.
    protect: async () => {
      try {
        const request = { StackName: NETWORK_STACK, EnableTerminationProtection: true };
        await client.send(new UpdateTerminationProtectionCommand(request));
      } catch (error) {
        logger.warn('the network is not protected from being deleted', error as Error);
      }
    },
    resources: async (StackName) => {
      const found = [];
      for await (const { StackResourceSummaries = [] } of paginateListStackResources({ client }, { StackName }))
        found.push(...StackResourceSummaries);
      return found
        .filter(({ ResourceStatus }) => ResourceStatus !== 'DELETE_COMPLETE')
        .map((each) => ({
          type: each.ResourceType ?? '',
          id: each.LogicalResourceId ?? '',
          name: each.PhysicalResourceId ?? '',
        }));
    },
    pause: async () => {
      if (left() < RESERVE + PAUSE) return false;
      await new Promise((resolve) => setTimeout(resolve, PAUSE));
      return true;
    },
  };
}
