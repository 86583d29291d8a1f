/** What a project's machines need in an account before they can run, from the compiler's notes. */
import type { Processor, StateMachine } from '../asl/types.ts';
import type { Compiled } from '../compiler/compile.ts';
import { type Needs, ofKind, type StateNeed } from '../compiler/needs.ts';
import type { ProjectConfig } from '../language/config/project-config.ts';
import { sends } from '../language/operators.ts';

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

export function projectNeeds(all: readonly Compiled[], config: ProjectConfig): ProjectNeeds {
  const secrets = new Map<string, string[]>();
  const senders = new Map<string, string[]>();
  const note = (map: Map<string, string[]>, key: string, by: string): void => {
    const known = map.get(key) ?? [];
    if (!known.includes(by)) map.set(key, [...known, by]);
  };
  const { slack } = config.notifications;
  let mails = false;
  let widest = { workflow: '', containers: 0 };
  for (const { workflow, machine, nested, tasks, needs } of all) {
    for (const need of needs) {
      const by = whose(need.state, tasks);
      if (need.kind === 'secret') note(secrets, need.key, by);
      if (slack !== undefined && notifies(need, tasks)) note(secrets, slack, by);
      if (need.kind !== 'mail' || need.server) continue;
      mails = true;
      const sender = senderOf(need.from);
      if (sender !== undefined) note(senders, sender, by);
    }
    const launching = containersOf(needs);
    const containers = Math.max(...[machine, ...Object.values(nested)].map((each) => width(each, launching)));
    if (containers > widest.containers) widest = { workflow, containers };
  }
  for (const key of config.secrets) note(secrets, key, '`secrets:` of trowel.yml');
  if (slack !== undefined) note(secrets, slack, '`notifications:` of trowel.yml');
  return { secrets, senders, mails, widest };
}

function whose(state: string, tasks: Compiled['tasks']): string {
  const info = tasks[state];
  return info === undefined ? state : `${info.task ?? state} (${info.at})`;
}

/** A notify> reaches Slack where `notifications:` of trowel.yml names it. */
function notifies(need: StateNeed, tasks: Compiled['tasks']): boolean {
  return (
    need.kind === 'function' && need.name === 'notify' && sends(tasks[need.state]?.operator ?? '') === 'notification'
  );
}

function senderOf(from: string | undefined): string | undefined {
  const [address] = /[^\s<>]+@[^\s<>]+/.exec(from ?? '') ?? [];
  return address === undefined || address.includes('$') ? undefined : address;
}

/** Names of the states that run a container. */
function containersOf(needs: Needs): ReadonlySet<string> {
  return new Set(ofKind(needs, 'container').map(({ state }) => state));
}

/** Containers at once: branches of a Parallel together, else one after another. */
function width({ States }: Processor | StateMachine, launching: ReadonlySet<string>): number {
  const each = Object.entries(States).map(([name, state]) => {
    if (state.Type === 'Parallel') return state.Branches.reduce((sum, branch) => sum + width(branch, launching), 0);
    if (state.Type === 'Map') return width(state.ItemProcessor, launching);
    return launching.has(name) ? 1 : 0;
  });
  return each.reduce((most, one) => Math.max(most, one), 0);
}
