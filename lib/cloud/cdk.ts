/**
 * The Cloud Development Kit, from the project's own node_modules where it has one (an app must not mix two copies of it), else the one
 * installed next to this package. It is required and not imported: an import reads every one of its 528 exports and so loads all services, 0.8 s
 * against 0.1 s.
 */
import { createRequire } from 'node:module';
import { join } from 'node:path';

const require = requireFrom([join(process.cwd(), 'package.json'), import.meta.url]);

export const cdk = require('aws-cdk-lib') as typeof import('aws-cdk-lib');
export const constructs = require('constructs') as typeof import('constructs');
export const cxapi = require('aws-cdk-lib/cx-api') as typeof import('aws-cdk-lib/cx-api');
export const cloudwatch = require('aws-cdk-lib/aws-cloudwatch') as typeof import('aws-cdk-lib/aws-cloudwatch');
export const actions =
  require('aws-cdk-lib/aws-cloudwatch-actions') as typeof import('aws-cdk-lib/aws-cloudwatch-actions');
export const ec2 = require('aws-cdk-lib/aws-ec2') as typeof import('aws-cdk-lib/aws-ec2');
export const ecr = require('aws-cdk-lib/aws-ecr-assets') as typeof import('aws-cdk-lib/aws-ecr-assets');
export const ecs = require('aws-cdk-lib/aws-ecs') as typeof import('aws-cdk-lib/aws-ecs');
export const events = require('aws-cdk-lib/aws-events') as typeof import('aws-cdk-lib/aws-events');
export const targets = require('aws-cdk-lib/aws-events-targets') as typeof import('aws-cdk-lib/aws-events-targets');
export const iam = require('aws-cdk-lib/aws-iam') as typeof import('aws-cdk-lib/aws-iam');
export const lambda = require('aws-cdk-lib/aws-lambda') as typeof import('aws-cdk-lib/aws-lambda');
export const logs = require('aws-cdk-lib/aws-logs') as typeof import('aws-cdk-lib/aws-logs');
export const s3 = require('aws-cdk-lib/aws-s3') as typeof import('aws-cdk-lib/aws-s3');
export const s3assets = require('aws-cdk-lib/aws-s3-assets') as typeof import('aws-cdk-lib/aws-s3-assets');
export const scheduler = require('aws-cdk-lib/aws-scheduler') as typeof import('aws-cdk-lib/aws-scheduler');
export const secretsmanager =
  require('aws-cdk-lib/aws-secretsmanager') as typeof import('aws-cdk-lib/aws-secretsmanager');
export const sns = require('aws-cdk-lib/aws-sns') as typeof import('aws-cdk-lib/aws-sns');
export const sqs = require('aws-cdk-lib/aws-sqs') as typeof import('aws-cdk-lib/aws-sqs');
export const sfn = require('aws-cdk-lib/aws-stepfunctions') as typeof import('aws-cdk-lib/aws-stepfunctions');

function requireFrom(places: readonly string[]): NodeRequire {
  const resolvers = places.map((place) => createRequire(place));
  const found = resolvers.find((resolver) => {
    try {
      resolver.resolve('aws-cdk-lib');
      return true;
    } catch {
      return false;
    }
  });
  return found ?? createRequire(import.meta.url);
}
