/**
 * EventBridge's default bus: it is played. Rules are those of the deployed templates. A function is invoked asynchronously, if its
 * permission lets the rule; a queue or a topic if its policy does. What cannot be delivered is tried again, at once rather than over a day,
 * and goes to the target's dead-letter queue.
 */
import { realClock } from '../../../lib/engine/clock.ts';
import type { Clock } from '../../../lib/engine/types.ts';
import { matches } from './event-pattern.ts';
import type { Check } from './policy.ts';
import { type Message, sendMessage } from './queues.ts';
import { type Answer, inputOf, json, type Part, type ServiceCall } from './service.ts';
import type { DeployedStack, Json, Mapping } from './template.ts';

export interface EventBridgeOptions {
  /** Of the proxy. */
  readonly url: string;
  /** An asynchronous invocation: accepted, or refused by throwing. */
  readonly invoke: (functionArn: string, payload: string) => void | Promise<void>;
  readonly publish?: (topicArn: string, message: string) => Promise<void>;
  /** By the resource's own policy. Default: always. */
  readonly allowed?: (check: Check) => boolean;
  /** Of late events. Default: real time. */
  readonly clock?: Clock;
}

export interface EventBridgeHooks {
  /** Milliseconds after which an event is delivered, for each delivery: none loses it. Default: once, at once. */
  deliveries?(event: Mapping): readonly number[];
}

interface Rule {
  readonly arn: string;
  readonly pattern: Mapping;
  readonly targets: readonly Mapping[];
}

/** EventBridge's own, of a rule's target. */
const RETRIES = 185;

export class EventBridge implements Part {
  readonly #options: EventBridgeOptions;
  readonly #rules = new Map<string, readonly Rule[]>();
  readonly #going = new Set<Promise<void>>();
  readonly #abort = new AbortController();
  /** Every event, as it came. */
  readonly events: Mapping[] = [];
  /** What was delivered, by rule's and target's ARN. */
  readonly delivered: { readonly rule: string; readonly target: string; readonly input: string }[] = [];
  hooks: EventBridgeHooks = {};

  constructor(options: EventBridgeOptions) {
    this.#options = options;
  }

  deployed(stack: DeployedStack): void {
    const rules = stack
      .ofType('AWS::Events::Rule')
      .filter(({ properties }) => properties.State !== 'DISABLED' && properties.EventPattern !== undefined)
      .map(({ id, properties }) => ({
        arn: stack.attribute(id, 'Arn'),
        pattern: properties.EventPattern as Mapping,
        targets: (properties.Targets ?? []) as Mapping[],
      }));
    this.#rules.set(stack.name, rules);
  }

  readonly service = async (call: ServiceCall): Promise<Answer | undefined> => {
    if (call.service !== 'events' || call.action !== 'PutEvents') return undefined;
    const { Entries = [] } = inputOf(call) as { readonly Entries?: readonly Mapping[] };
    for (const { Source, DetailType, Detail, Resources } of Entries) {
      const said = { source: Source ?? '', 'detail-type': DetailType ?? '', resources: Resources ?? [] };
      this.put({ version: '0', ...said, detail: JSON.parse(String(Detail ?? '{}')) as Json });
    }
    return json({ FailedEntryCount: 0, Entries: Entries.map(() => ({ EventId: 'event' })) });
  };

  /** An event of a service of AWS. */
  put(event: Mapping): void {
    this.events.push(event);
    const { clock = realClock } = this.#options;
    for (const delay of this.hooks.deliveries?.(event) ?? [0]) {
      const deliver = async (): Promise<void> => {
        if (delay > 0) await clock.sleep(delay, this.#abort.signal);
        await Promise.all(this.#matching(event).map(([rule, target]) => this.#deliver(event, rule, target)));
      };
      const going = deliver()
        .catch((error: unknown) => {
          if (!this.#abort.signal.aborted) console.error('EventBridge of the small AWS failed:', error);
        })
        .finally(() => this.#going.delete(going));
      this.#going.add(going);
    }
  }

  #matching(event: Mapping): (readonly [Rule, Mapping])[] {
    return [...this.#rules.values()]
      .flat()
      .filter(({ pattern }) => matches(pattern, event))
      .flatMap((rule) => rule.targets.map((target) => [rule, target] as const));
  }

  async #deliver(event: Mapping, rule: Rule, target: Mapping): Promise<void> {
    const arn = String(target.Arn);
    const input = inputFor(target, event);
    const { MaximumRetryAttempts = RETRIES } = (target.RetryPolicy ?? {}) as Mapping;
    let fault = '';
    for (let tries = 0; tries <= Number(MaximumRetryAttempts) && !this.#abort.signal.aborted; tries++) {
      try {
        await this.#give(arn, rule.arn, input);
        this.delivered.push({ rule: rule.arn, target: arn, input });
        return;
      } catch (error) {
        fault = (error as Error).message;
        // What is not permitted is not tried again.
        if (error instanceof NotPermitted) break;
      }
    }
    const queue = (target.DeadLetterConfig as Mapping | undefined)?.Arn;
    if (queue === undefined) return;
    const attributes = { ERROR_CODE: fault.slice(0, 100), RULE_ARN: rule.arn, TARGET_ARN: arn };
    this.#check('sqs:SendMessage', String(queue), rule.arn);
    await this.#send(String(queue), { body: input, attributes });
  }

  async #give(arn: string, rule: string, input: string): Promise<void> {
    const service = arn.split(':')[2];
    const action = { lambda: 'lambda:InvokeFunction', sqs: 'sqs:SendMessage', sns: 'sns:Publish' }[service ?? ''];
    if (action === undefined) throw new Error(`The small AWS does not know the target ${arn}`);
    this.#check(action, arn, rule);
    if (service === 'lambda') await this.#options.invoke(arn, input);
    else if (service === 'sqs') await this.#send(arn, { body: input, attributes: {} });
    else await this.#options.publish?.(arn, input);
  }

  #check(action: string, resource: string, rule: string): void {
    const allowed = this.#options.allowed ?? (() => true);
    if (!allowed({ action, resource, context: { 'aws:SourceArn': rule } }))
      throw new NotPermitted(`NO_PERMISSIONS: the policy of ${resource} does not let ${rule} do ${action}`);
  }

  #send(queue: string, message: Message): Promise<void> {
    return sendMessage(this.#options.url, queue, message);
  }

  /** Until everything that was put is delivered. */
  async idle(): Promise<void> {
    while (this.#going.size > 0) await Promise.all(this.#going);
  }

  async stop(): Promise<void> {
    this.#abort.abort();
    await Promise.all(this.#going);
  }
}

class NotPermitted extends Error {}

function inputFor(target: Mapping, event: Mapping): string {
  if (typeof target.Input === 'string') return target.Input;
  if (typeof target.InputPath === 'string') return JSON.stringify(at(event, target.InputPath));
  const transformer = target.InputTransformer as Mapping | undefined;
  if (transformer === undefined) return JSON.stringify(event);
  const paths = (transformer.InputPathsMap ?? {}) as { readonly [name: string]: string };
  return String(transformer.InputTemplate).replaceAll(/"?<([^<>]+)>"?/g, (whole, name: string) => {
    const value = paths[name] === undefined ? undefined : at(event, paths[name]);
    const quoted = whole.startsWith('"') && whole.endsWith('"');
    if (typeof value === 'string' && !quoted) return JSON.stringify(value).slice(1, -1);
    return value === undefined ? whole : JSON.stringify(value);
  });
}

/** `$.detail.taskArn`, `$`. */
function at(event: Mapping, path: string): Json {
  const names = path
    .replace(/^\$\.?/, '')
    .split('.')
    .filter((name) => name !== '');
  return names.reduce<Json>((value, name) => (value as Mapping | null)?.[name] ?? null, event);
}
