import { resolve } from 'node:path';
import { present } from '../asl/present.ts';
import { networkKind } from '../language/config/project-config.ts';
import type { Diagnostic } from '../language/diagnostic.ts';
import { cdk, cxapi } from './cdk.ts';
import { type LoadedProject, loadTrowelProject } from './load-project.ts';
import { ProjectError } from './project-error.ts';
import { TrowelStack, type TrowelStackProps } from './trowel-stack.ts';

export interface SynthesizeOptions extends Omit<TrowelStackProps, 'project'> {
  /** Folder that `-c project=` is relative to, and the project itself without it. */
  readonly cwd: string;
  /** Told what the project warns of. */
  readonly onLoad?: (project: LoadedProject) => void | Promise<void>;
}

/**
 * The app that cdk.json names: one stack, `trowel-PROJECT`, written where the CDK's command line asked for it. The context `project` is
 * the folder (`npx cdk deploy -c project=examples/quickstart`), `destroy=true` lets bucket and logs go with the stack.
 * @throws ProjectError
 */
export async function synthesize({ cwd, onLoad, ...props }: SynthesizeOptions): Promise<void> {
  // Without autoSynth, a project that is refused is not written when the process ends.
  const app = new cdk.App({ context: featureFlags(), autoSynth: false });
  const project = await loadTrowelProject(resolve(cwd, String(app.node.tryGetContext('project') ?? '.')));
  await onLoad?.(project);
  const { CDK_DEFAULT_ACCOUNT: account, CDK_DEFAULT_REGION: region } = process.env;
  // A VPC can be looked up in a known account only; a template for any account needs none.
  const lookup = networkKind(project.config.network) === 'named';
  const env = account !== undefined && region !== undefined ? { account, region } : undefined;
  if (lookup && env === undefined) throw refused(project, unknownAccount(project));
  const destroy = app.node.tryGetContext('destroy');
  try {
    new TrowelStack(app, `trowel-${project.name}`, {
      ...present({ env: lookup && env !== undefined ? env : undefined }),
      ...((destroy === true || destroy === 'true') && { removalPolicy: cdk.RemovalPolicy.DESTROY }),
      ...props,
      project,
    });
    app.synth();
  } catch (error) {
    // Constructs throw what they find wrong with their properties, and here those are the project's.
    if (!cdk.Errors.isConstructError(error)) throw error;
    throw refused(project, { message: `The CDK refuses the project: ${error.message}`, notes: [] });
  }
}

/**
 * Every flag of the CDK as it is where nothing sets it: the stack is Trowel's, so that its users have nothing to decide, and the CDK does
 * not count for them what is not configured. cdk.json may still set one.
 */
function featureFlags(): { readonly [flag: string]: unknown } {
  const { FLAGS, CURRENT_VERSION_EXPIRED_FLAGS: expired, CURRENT_VERSION_FLAG_DEFAULTS: defaults } = cxapi;
  const unset = (name: string): unknown => {
    const { recommendedValue, unconfiguredBehavesLike } = FLAGS[name] ?? {};
    if (typeof recommendedValue === 'boolean') return defaults[name] ?? false;
    // Not a switch. The CDK reads the text "undefined" as nothing (target-partitions).
    return unconfiguredBehavesLike?.v2 ?? 'undefined';
  };
  const names = Object.keys(FLAGS).filter((name) => !expired.includes(name));
  return Object.fromEntries(names.map((name) => [name, unset(name)]));
}

type Refusal = Pick<Diagnostic, 'message' | 'notes'>;

function refused({ dir, sources }: LoadedProject, refusal: Refusal): ProjectError {
  return new ProjectError(dir, [{ code: 'project-file', severity: 'error', ...refusal }], sources);
}

function unknownAccount({ config }: LoadedProject): Refusal {
  return {
    message: `The VPC ${config.network.vpc} is looked up in your account, and neither account nor region is known`,
    notes: ['Run it by `npx cdk` with AWS credentials and a region (AWS_PROFILE, AWS_REGION).'],
  };
}
