/**
 * test/cloud/aws: a small AWS on loopback. CloudFormation, S3, SNS, SQS, Secrets Manager, logs and definitions are moto's server;
 * Step Functions, Lambda, Fargate, EventBridge, Scheduler and IAM's decisions are played here from the template that the real
 * `cdk deploy` has put there. All clients, the product's functions and containers among them, call one address, the proxy's.
 */
import type { IncomingHttpHeaders } from 'node:http';
import type { DeployedStack } from './template.ts';

export interface Principal {
  readonly kind: 'account' | 'role';
  /** Name of the role. */
  readonly role?: string;
  readonly accessKey: string;
}

export interface ServiceCall {
  /** Signing name: `states`, `s3`, `ecs`, … */
  readonly service: string;
  /** IAM action without its prefix: `RunTask`, `GetObject`. */
  readonly action: string;
  /** ARNs for IAM; `['*']` if the API knows none. */
  readonly resources: readonly string[];
  readonly principal: Principal;
  readonly method: string;
  /** Of S3 always in path style: `/bucket/key`. */
  readonly url: URL;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface Answer {
  readonly status: number;
  readonly headers?: { readonly [name: string]: string };
  readonly body: string | Buffer;
}

/** Undefined: not mine, goes on to the next and at last to moto. */
export type Service = (call: ServiceCall) => Promise<Answer | undefined>;

/** Before any answer; a text is why the call is refused. */
export type Authorize = (call: ServiceCall) => string | undefined | Promise<string | undefined>;

/** What a request is: IAM's action (without the service's prefix) and resources. */
export type ActionOf = (
  request: Omit<ServiceCall, 'action' | 'resources' | 'principal'>,
) => Pick<ServiceCall, 'action' | 'resources'>;

/** One of the services played here. */
export interface Part {
  readonly service?: Service;
  /** After each deploy. */
  deployed?(stack: DeployedStack): void | Promise<void>;
  stop?(): void | Promise<void>;
}

export const ACCOUNT = '123456789012';
export const REGION = 'us-east-1';
/** Access key that may do anything. */
export const ACCOUNT_KEY = 'test';

export function json(body: unknown, status = 200, headers: { readonly [name: string]: string } = {}): Answer {
  return {
    status,
    headers: { 'content-type': 'application/x-amz-json-1.0', ...headers },
    body: JSON.stringify(body),
  };
}

/** An error as a service of the JSON protocols says it. */
export class ServiceFault extends Error {
  override readonly name: string;
  readonly status: number;
  readonly more: object;

  constructor(name: string, message = '', status = 400, more: object = {}) {
    super(message);
    this.name = name;
    this.status = status;
    this.more = more;
  }

  get answer(): Answer {
    const { name, message, status, more } = this;
    return json({ __type: name, message, ...more }, status, { 'x-amzn-errortype': name });
  }
}

/** The input of a call of the JSON protocols. */
export function inputOf(call: ServiceCall): { readonly [key: string]: unknown } {
  return call.body.length === 0 ? {} : (JSON.parse(call.body.toString()) as { readonly [key: string]: unknown });
}
