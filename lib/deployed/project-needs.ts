/** What a project's machines ask of an account before they can run: read from the compiled states, where `_env` and `_secrets` are merged. */

import { scopesOf } from '../asl/graph.ts';
import { isMapping } from '../asl/json.ts';
import type { Json, Processor, State, StateMachine } from '../asl/types.ts';
import { mountedKey, secretKeys, secretPlaces } from '../contract/secret-keys.ts';
import type { TaskInfo } from '../contract/task-info.ts';
import type { ProjectConfig } from '../language/config/project-config.ts';
import type { Mapping } from '../language/workflow.ts';

export interface CompiledMachine {
  readonly workflow: string;
  readonly machine: StateMachine;
  readonly tasks: { readonly [state: string]: TaskInfo };
}

export interface ProjectNeeds {
  /** By key: what asks for it, for people. */
  readonly secrets: ReadonlyMap<string, readonly string[]>;
  /** Senders of mail> that has no server of its own, as far as they are written out. */
  readonly senders: ReadonlyMap<string, readonly string[]>;
  /** Whether any mail> may go through Amazon SES. */
  readonly mails: boolean;
  /** Containers that one run of a workflow wants at once, at least; loops count once. */
  readonly widest: { readonly workflow: string; readonly containers: number };
}

export function projectNeeds(machines: readonly CompiledMachine[], config: ProjectConfig): ProjectNeeds {
  const secrets = new Map<string, string[]>();
  const senders = new Map<string, string[]>();
  const note = (map: Map<string, string[]>, key: string, by: string): void => {
    const known = map.get(key) ?? [];
    if (!known.includes(by)) map.set(key, [...known, by]);
  };
  let mails = false;
  let widest = { workflow: '', containers: 0 };
  for (const { workflow, machine, tasks } of machines) {
    const exported = exportedMail(machine);
    for (const [name, payload] of payloadsOf(machine)) {
      const by = whose(name, tasks[name]);
      for (const key of secretsOf(payload, config)) note(secrets, key, by);
      const mail = { ...exported, ...mapping(payload.k) };
      if (payload.op !== 'mail' || 'host' in mail) continue;
      mails = true;
      const sender = senderOf(mail);
      if (sender !== undefined) note(senders, sender, by);
    }
    const containers = width(machine);
    if (containers > widest.containers) widest = { workflow, containers };
  }
  for (const key of config.secrets) note(secrets, key, '`secrets:` of trowel.yml');
  const { slack } = config.notifications;
  if (slack !== undefined) note(secrets, slack, '`notifications:` of trowel.yml');
  return { secrets, senders, mails, widest };
}

function whose(state: string, info: TaskInfo | undefined): string {
  return info === undefined ? state : `${info.task ?? state} (${info.at})`;
}

/** Payloads of Trowel's own functions, by state. */
function payloadsOf(machine: StateMachine): (readonly [string, Mapping])[] {
  const states = scopesOf(machine).flatMap(({ processor }) => Object.entries(processor.States));
  return states.flatMap(([name, state]) => {
    const payload = payloadOf(state);
    return payload === undefined ? [] : [[name, payload] as const];
  });
}

function payloadOf(state: State): Mapping | undefined {
  const given = state.Type === 'Task' ? mapping(state.Arguments) : undefined;
  return mapping(given?.Payload as Json | undefined);
}

/** Keys that are written out, where the operator replaces them; one that is an expression is among the candidates of trowel.yml. */
function secretsOf(payload: Mapping, { notifications }: ProjectConfig): string[] {
  const keys = mapping(payload.k) ?? {};
  const op = String(payload.op);
  const texts = OWN.has(op) ? [keys] : secretPlaces(op).map((place) => keys[place]);
  const named = texts.flatMap(secretKeys);
  const webhook = op === 'slack' && !('webhook' in keys || 'url' in keys) ? ['slack.webhook'] : [];
  const told = op === 'notify' && notifications.slack !== undefined ? [notifications.slack] : [];
  const literal = [...named, ...webhook].filter((key) => !key.includes('$'));
  return [...literal.map((key) => mountedKey(key, keys._secrets)), ...told];
}

/** Operators that replace secrets in their own keys. */
const OWN = new Set(['http', 'slack']);

/** `mail:` of every `_export`, which are defaults of mail>: which of them is in force where is not asked. */
function exportedMail(machine: StateMachine): Mapping {
  const start = machine.States[machine.StartAt];
  const assigned = start !== undefined && 'Assign' in start ? mapping(start.Assign) : undefined;
  const exports = Object.values(mapping(assigned?.t) ?? {});
  return Object.assign({}, ...exports.map((each) => mapping(mapping(each)?.mail) ?? {}));
}

function senderOf({ from }: Mapping): string | undefined {
  const [address] = typeof from === 'string' ? (/[^\s<>]+@[^\s<>]+/.exec(from) ?? []) : [];
  return address === undefined || address.includes('$') ? undefined : address;
}

/** Containers at once: branches of a Parallel together, else one after another. */
function width(machine: Processor | StateMachine): number {
  const each = Object.values(machine.States).map((state) => {
    if (state.Type === 'Parallel') return state.Branches.reduce((sum, branch) => sum + width(branch), 0);
    if (state.Type === 'Map') return width(state.ItemProcessor);
    const given = state.Type === 'Task' ? mapping(state.Arguments) : undefined;
    return given?.FunctionName === '${launch}' ? 1 : 0;
  });
  return Math.max(0, ...each);
}

function mapping(value: unknown): Mapping | undefined {
  return isMapping(value) ? (value as Mapping) : undefined;
}
