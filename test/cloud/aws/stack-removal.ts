/**
 * What CloudFormation does for a stack that is deleted and moto does not: moto forgets that route tables, gateways and endpoints belong to the
 * stack, and refuses to delete a VPC that still has them; clusters and revisions of task definitions it leaves as they are, and so a log group
 * that an update has changed. The CDK's function that empties a bucket which goes with its stack is played, too.
 */
import { type CloudWatchLogsClient, DeleteLogGroupCommand } from '@aws-sdk/client-cloudwatch-logs';
import {
  DeleteInternetGatewayCommand,
  DeleteRouteTableCommand,
  DeleteVpcEndpointsCommand,
  DescribeRouteTablesCommand,
  DetachInternetGatewayCommand,
  DisassociateRouteTableCommand,
  type EC2Client,
} from '@aws-sdk/client-ec2';
import { DeleteClusterCommand, DeregisterTaskDefinitionCommand, type ECSClient } from '@aws-sdk/client-ecs';
import { DeleteObjectCommand, ListObjectsV2Command, type S3Client } from '@aws-sdk/client-s3';
import type { DeployedStack } from './template.ts';

export async function removeFirst(stack: DeployedStack, ec2: EC2Client, s3: S3Client): Promise<void> {
  for (const { properties } of stack.ofType('Custom::S3AutoDeleteObjects')) {
    const Bucket = String(properties.BucketName);
    const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket }));
    for (const { Key } of Contents) await s3.send(new DeleteObjectCommand({ Bucket, Key }));
  }
  const endpoints = stack.ofType('AWS::EC2::VPCEndpoint').map(({ physicalId }) => physicalId);
  if (endpoints.length > 0) await ec2.send(new DeleteVpcEndpointsCommand({ VpcEndpointIds: endpoints }));
  for (const { properties } of stack.ofType('AWS::EC2::VPCGatewayAttachment')) {
    const [VpcId, InternetGatewayId] = [String(properties.VpcId), String(properties.InternetGatewayId)];
    await ec2.send(new DetachInternetGatewayCommand({ VpcId, InternetGatewayId }));
  }
  for (const { physicalId: InternetGatewayId } of stack.ofType('AWS::EC2::InternetGateway'))
    await ec2.send(new DeleteInternetGatewayCommand({ InternetGatewayId }));
  const tables = stack.ofType('AWS::EC2::RouteTable').map(({ physicalId }) => physicalId);
  if (tables.length === 0) return;
  const { RouteTables = [] } = await ec2.send(new DescribeRouteTablesCommand({ RouteTableIds: tables }));
  for (const { RouteTableId, Associations = [] } of RouteTables) {
    for (const { RouteTableAssociationId: AssociationId } of Associations)
      await ec2.send(new DisassociateRouteTableCommand({ AssociationId }));
    await ec2.send(new DeleteRouteTableCommand({ RouteTableId }));
  }
}

export async function removeLast(stack: DeployedStack, ecs: ECSClient, logs: CloudWatchLogsClient): Promise<void> {
  for (const { properties, deletionPolicy } of stack.ofType('AWS::Logs::LogGroup')) {
    const { LogGroupName: logGroupName } = properties;
    if (typeof logGroupName !== 'string' || deletionPolicy?.startsWith('Retain')) continue;
    await logs.send(new DeleteLogGroupCommand({ logGroupName })).catch((error: Error) => {
      if (error.name !== 'ResourceNotFoundException') throw error;
    });
  }
  for (const { physicalId: taskDefinition } of stack.ofType('AWS::ECS::TaskDefinition'))
    await ecs.send(new DeregisterTaskDefinitionCommand({ taskDefinition }));
  for (const { physicalId: cluster } of stack.ofType('AWS::ECS::Cluster'))
    await ecs.send(new DeleteClusterCommand({ cluster }));
}
