/** Checks whether a project would run in an account: finds faults that a deploy does not show and a run would. Each comes with its way out. */

import { consoleHost } from '../contract/console-link.ts';
import { shortList } from '../functions/notify/short-list.ts';
import { networkKind, type ProjectConfig } from '../language/config/project-config.ts';
import type { Diagnostic, DiagnosticCode, Severity } from '../language/diagnostic.ts';
import { VCPU } from '../language/fargate-sizes.ts';
import { type Account, QUOTAS } from './account.ts';
import { AwsFault } from './aws-fault.ts';
import type { ProjectNeeds } from './project-needs.ts';
import type { ProjectSecrets } from './secrets.ts';

export interface AccountCheck {
  readonly project: string;
  readonly config: ProjectConfig;
  readonly needs: ProjectNeeds;
  readonly account: Account;
  readonly secrets: Pick<ProjectSecrets, 'missing'>;
  /** The command that sets a secret. */
  readonly secretCommand: (key: string) => string;
}

export interface Checked {
  readonly diagnostics: readonly Diagnostic[];
  /** For people, a line each. */
  readonly facts: readonly string[];
}

interface Findings {
  readonly diagnostics: Diagnostic[];
  readonly facts: string[];
}

/** Throws an AwsFault where AWS cannot be asked at all; what the caller may not ask is a warning. */
export async function checkAccount(check: AccountCheck): Promise<Checked> {
  const found: Findings = { diagnostics: [], facts: [] };
  const { account, region, arn } = await check.account.whoami();
  found.facts.push(`Account ${account}, region ${region}, as ${arn.replace(/^.*?:(?=[^:]*$)/, '')}`);
  for (const [what, part] of PARTS) {
    try {
      await part(check, found, region);
    } catch (error) {
      if (!(error instanceof AwsFault) || error.reason === 'setup') throw error;
      tell(found, 'aws-not-checked', 'warning', `Not checked: ${what}`, error.message, ...error.notes);
    }
  }
  return found;
}

type Part = (check: AccountCheck, found: Findings, region: string) => Promise<void>;

const PARTS: readonly (readonly [string, Part])[] = [
  ['whether secrets are set', checkSecrets],
  ['whether ECS has its service-linked role', checkServiceRole],
  ['the quota of containers', checkQuota],
  ['whether there is room for a VPC', checkVpc],
  ['the sender of mail>', checkMail],
  ['what is deployed: addresses of notifications, free addresses of subnets', checkDeployed],
];

async function checkSecrets({ secrets, needs, secretCommand }: AccountCheck, found: Findings): Promise<void> {
  const missing = await secrets.missing([...needs.secrets.keys()]);
  for (const key of missing) {
    tell(
      found,
      'secret-missing',
      'error',
      `The secret ${key} is not set on AWS`,
      `Set it with: ${secretCommand(key)}`,
      `It is asked for by ${shortList(needs.secrets.get(key) ?? [])}.`,
    );
  }
  const { size } = needs.secrets;
  if (size > 0) found.facts.push(`Secrets: ${size - missing.length} of ${size} set`);
}

async function checkServiceRole({ account, needs }: AccountCheck, found: Findings): Promise<void> {
  if (needs.widest.containers === 0 || (await account.hasServiceRole())) return;
  tell(
    found,
    'aws-service-role',
    'warning',
    'ECS has not been used in this account: its service-linked role is not there yet, and a first deploy or a first task may fail',
    'Make it once: aws iam create-service-linked-role --aws-service-name ecs.amazonaws.com',
  );
}

async function checkQuota({ account, config, needs }: AccountCheck, found: Findings, region: string): Promise<void> {
  const { workflow, containers } = needs.widest;
  if (containers === 0) return;
  const { spot, cpu } = config.task;
  const quota = await account.vcpuQuota(spot);
  const each = cpu / VCPU;
  const most = Math.floor(quota / each);
  const kind = spot ? 'Fargate Spot' : 'Fargate';
  found.facts.push(`${kind}: ${quota} vCPU at once, ${most} tasks of ${each}`);
  if (containers <= most) return;
  tell(
    found,
    'aws-quota',
    most === 0 ? 'error' : 'warning',
    `${workflow} would run ${containers} containers at once, and this account ${most} (${quota} vCPU, ${each} a task)`,
    most === 0 ? 'No task can start.' : 'The others wait until some have ended.',
    `Ask AWS for more: https://${consoleHost(region)}/servicequotas/home/services/fargate/quotas/${spot ? QUOTAS.spot : QUOTAS.onDemand}`,
  );
}

async function checkVpc({ account, config, project }: AccountCheck, found: Findings, region: string): Promise<void> {
  const kind = networkKind(config.network);
  if (kind === 'named') return;
  const there = kind === 'shared' ? await account.hasSharedVpc() : await isDeployed(account, project);
  if (kind === 'shared' && there) found.facts.push('VPC: the one that projects of this account and region share');
  if (there) return;
  const vpcs = await account.vpcs();
  found.facts.push(`VPC: a deploy makes one; ${vpcs.there} of ${vpcs.quota} are there`);
  if (vpcs.there < vpcs.quota) return;
  tell(
    found,
    'aws-quota',
    'error',
    `A deploy has to make a VPC, and this account has ${vpcs.there} of ${vpcs.quota} in this region`,
    'Delete one that nobody uses, or name one in trowel.yml: `network: {vpc: vpc-…}`.',
    `Or ask AWS for more: https://${consoleHost(region)}/servicequotas/home/services/vpc/quotas/${QUOTAS.vpcs}`,
  );
}

async function isDeployed(account: Account, project: string): Promise<boolean> {
  return Object.keys(await account.functionSettings(project)).length > 0;
}

async function checkMail({ account, needs, secrets }: AccountCheck, found: Findings, region: string): Promise<void> {
  if (!needs.mails) return;
  const [noServer] = await secrets.missing(['mail.host']);
  if (noServer === undefined) return;
  for (const [sender, by] of needs.senders) {
    if (await account.verified(sender)) continue;
    tell(
      found,
      'aws-mail',
      'error',
      `Amazon SES does not send for ${sender}: neither it nor its domain is a verified identity`,
      `Verify it: https://${consoleHost(region)}/ses/home?region=${region}#/identities/create`,
      'Or name a mail server: the secret mail.host.',
      `It is the sender of ${shortList(by)}.`,
    );
  }
  if (!(await account.inSandbox())) return;
  tell(
    found,
    'aws-mail',
    'warning',
    'Amazon SES sends only to verified addresses: the account is in its sandbox',
    `Ask for production access: https://${consoleHost(region)}/ses/home?region=${region}#/account`,
  );
}

async function checkDeployed({ account, project, needs }: AccountCheck, found: Findings): Promise<void> {
  const settings = await account.functionSettings(project);
  const { TROWEL_SUBNETS: subnets = '' } = settings.launch ?? {};
  const topic = Object.values(settings).find(({ TROWEL_TOPIC }) => TROWEL_TOPIC !== undefined)?.TROWEL_TOPIC;
  if (Object.keys(settings).length === 0) found.facts.push(`The project ${project} is not deployed here yet`);
  if (topic !== undefined) await checkTopic(account, topic, found);
  if (subnets !== '') await checkSubnets(account, subnets.split(','), needs, found);
}

async function checkTopic(account: Account, topic: string, found: Findings): Promise<void> {
  for (const address of await account.unconfirmed(topic)) {
    tell(
      found,
      'aws-unconfirmed',
      'warning',
      `${address} gets no notifications: it has not confirmed its subscription`,
      'Whoever reads it follows the link in the mail "AWS Notification - Subscription Confirmation".',
      'The link is good for two days; the next deploy after that sends another if the address is taken out and put in again.',
    );
  }
}

async function checkSubnets(
  account: Account,
  ids: readonly string[],
  needs: ProjectNeeds,
  found: Findings,
): Promise<void> {
  const subnets = await account.subnets(ids);
  const free = subnets.reduce((sum, subnet) => sum + subnet.free, 0);
  found.facts.push(`Subnets: ${free} free addresses`);
  const full = subnets.filter((subnet) => subnet.free === 0);
  if (full.length === 0 && free >= needs.widest.containers) return;
  const which = subnets.map((subnet) => `${subnet.id} has ${subnet.free}`).join(', ');
  tell(
    found,
    'aws-subnets',
    free < needs.widest.containers ? 'error' : 'warning',
    `The subnets of the containers have ${free} free addresses: each container takes one (${which})`,
    'End what else uses them, or give the project larger subnets (`network:` in trowel.yml).',
  );
}

function tell(found: Findings, code: DiagnosticCode, severity: Severity, message: string, ...notes: string[]): void {
  found.diagnostics.push({ code, severity, message, notes });
}
