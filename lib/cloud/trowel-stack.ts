import { createHash } from 'node:crypto';
import type { IStackSynthesizer, StackProps } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { present } from '../asl/present.ts';
import { cdk } from './cdk.ts';
import { TrowelProject, type TrowelProjectProps } from './trowel-project.ts';

export interface TrowelStackProps
  extends TrowelProjectProps,
    Pick<StackProps, 'env' | 'stackName' | 'description' | 'synthesizer' | 'terminationProtection'> {}

/** A stack with one project, whose outputs say how to start its workflows. */
export class TrowelStack extends cdk.Stack {
  readonly project: TrowelProject;

  constructor(scope: Construct, id: string, props: TrowelStackProps) {
    const { env, stackName, description, synthesizer, terminationProtection, ...rest } = props;
    super(scope, id, {
      description: description ?? `Trowel: the workflows of ${props.project.name}`,
      // A folder of its own in the account's bucket of assets: containers may read earlier bundles there and nothing of other apps.
      synthesizer: synthesizer ?? ownFolder(props.project.name),
      // A template is limited to 1 MB; indented, that of a hundred workflows has two thirds of it.
      suppressTemplateIndentation: true,
      ...present({ env, stackName, terminationProtection }),
    });
    this.project = new TrowelProject(this, 'Project', rest);
    for (const { name, arn, whole } of this.project.machines) {
      if (!whole) continue;
      // CloudFormation takes letters and digits; `a_b` is not to be taken for `ab`.
      const plain = name.replaceAll(/[^A-Za-z0-9]/g, '');
      const id = this.node.tryFindChild(`Workflow${plain}`) === undefined ? plain : `${plain}${hashOf(name)}`;
      new cdk.CfnOutput(this, `Workflow${id}`, { value: arn, description: `Workflow ${name}` });
    }
    new cdk.CfnOutput(this, 'BucketName', { value: this.project.bucket.bucketName });
  }
}

function hashOf(name: string): string {
  return createHash('sha256').update(name).digest('hex').slice(0, 8);
}

function ownFolder(project: string): IStackSynthesizer {
  return new cdk.DefaultStackSynthesizer({ bucketPrefix: `trowel/${project}/` }) as IStackSynthesizer;
}
