/**
 * What the code of tasks may do: a role for each workflow, which reaches the objects of this workflow and no others. `launch` gives it to a
 * container, so that one task definition serves all workflows; the role in the definition may do nothing.
 */
import type { Grant, IGrantable, IManagedPolicy, IPrincipal, Policy, PolicyStatement, Role } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import { fileName } from '../contract/names.ts';
import { cdk, constructs, iam } from './cdk.ts';
import type { LoadedProject } from './load-project.ts';

/** Roles that `launch` names one by one; of more, what their ARNs begin with has to do, for a policy has 10,240 characters. */
const NAMED = 10;

/**
 * The roles together: what is granted to this is granted to each of them, as to a role (`table.grantReadData(sales.taskRole)`).
 */
export class TaskRoles extends constructs.Construct implements IGrantable, IPrincipal {
  readonly grantPrincipal: IPrincipal = this;
  readonly assumeRoleAction = 'sts:AssumeRole';
  readonly principalAccount: string;
  /** By workflow. */
  readonly roles: ReadonlyMap<string, Role>;
  /** Of the task definitions. */
  readonly idle: Role;
  readonly #statements = new Map<string, InstanceType<typeof iam.PolicyDocument>>();
  /** What ARNs of all of them begin with. */
  readonly #prefix: string;
  #granted: Policy | undefined;

  constructor(scope: Construct, id: string, { name, machines }: Pick<LoadedProject, 'name' | 'machines'>) {
    super(scope, id);
    const { account, partition, region } = cdk.Stack.of(this);
    this.principalAccount = account;
    // Roles are an account's, in all of its regions.
    const path = `/trowel/${region}/${name}/`;
    this.#prefix = `arn:${partition}:iam::${account}:role${path}`;
    const assumedBy = tasksOfThisAccount(this);
    this.idle = new iam.Role(this, 'None', {
      assumedBy,
      path,
      description:
        'Of the task definitions of Trowel: it may do nothing. A container is started with the role of its workflow',
    });
    this.roles = new Map(
      [...new Set(machines.map(({ workflow }) => workflow))].map((workflow) => {
        const statements = new iam.PolicyDocument();
        this.#statements.set(workflow, statements);
        const role = new iam.Role(this, `Of-${fileName(workflow)}`, {
          assumedBy,
          path,
          description: `What the code of tasks may do in the Trowel workflow ${workflow}`.slice(0, 1000),
          inlinePolicies: { task: statements },
        });
        return [workflow, role];
      }),
    );
  }

  /** What the runner itself needs in tasks of a workflow; user code has it too. */
  allow(statements: (workflow: string) => readonly PolicyStatement[]): void {
    for (const [workflow, document] of this.#statements) document.addStatements(...statements(workflow));
  }

  /** For whoever starts containers with these roles. */
  get passed(): readonly string[] {
    const each = [this.idle, ...this.roles.values()].map(({ roleArn }) => roleArn);
    return each.length <= NAMED ? each : [`${this.#prefix}*`];
  }

  get policyFragment() {
    return new iam.PrincipalPolicyFragment({ AWS: [...this.roles.values()].map(({ roleArn }) => roleArn) });
  }

  addToPrincipalPolicy(statement: PolicyStatement) {
    this.#granted ??= new iam.Policy(this, 'Granted', { roles: [...this.roles.values()] });
    this.#granted.addStatements(statement);
    return { statementAdded: true, policyDependable: this.#granted };
  }

  addToPolicy(statement: PolicyStatement): boolean {
    return this.addToPrincipalPolicy(statement).statementAdded;
  }

  addManagedPolicy(policy: IManagedPolicy): void {
    for (const role of this.roles.values()) role.addManagedPolicy(policy);
  }

  attachInlinePolicy(policy: Policy): void {
    for (const role of this.roles.values()) policy.attachToRole(role);
  }

  /** Lets somebody start containers with these roles. */
  grantPassRole(grantee: IGrantable): Grant {
    return iam.Grant.addToPrincipal({ grantee, actions: ['iam:PassRole'], resourceArns: [...this.passed] });
  }
}

/** Who may have a role of containers. */
export function tasksOfThisAccount(scope: Construct) {
  return new iam.ServicePrincipal('ecs-tasks.amazonaws.com', {
    conditions: { StringEquals: { 'aws:SourceAccount': cdk.Stack.of(scope).account } },
  });
}
