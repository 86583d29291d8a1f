/**
 * The image of a project's containers: a stock Python, `image:` as it is, or one that is built, from task-images/python/Dockerfile (`apt:`) or
 * from the project's own (`dockerfile:`). Whatever it is, the task definition's command fetches the bundle.
 */
import { cpSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import type { ContainerImage } from 'aws-cdk-lib/aws-ecs';
import type { Role } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import { packageFolder } from '../host/package-folder.ts';
import type { ProjectConfig } from '../language/config/project-config.ts';
import { DEPLOYED_PYTHON } from '../language/config/project-config.ts';
import { IGNORED, isIgnored, OWN_TARBALLS } from './bundle.ts';
import { cdk, ecr, ecs, iam } from './cdk.ts';
import { buildsOnTrowel } from './dockerfile.ts';

export interface ProjectImage {
  readonly image: ContainerImage;
  /** Its name, if it is pulled as it is. */
  readonly name?: string;
  /** For an image that was not made for Trowel: the user of the process, and the folder to which it may write. */
  readonly user?: string;
  readonly home?: string;
}

/** `nobody` of Debian. */
const NOBODY = '65534:65534';

/** @param dir the project's folder, absolute */
export function projectImage(dir: string, config: ProjectConfig): ProjectImage {
  const { dockerfile, apt, image, python, task } = config;
  const stock = `public.ecr.aws/docker/library/python:${python.version ?? DEPLOYED_PYTHON}-slim`;
  const platform = task.architecture === 'arm64' ? ecr.Platform.LINUX_ARM64 : ecr.Platform.LINUX_AMD64;
  const own = readFileSync(packageFolder(join('task-images', 'python', 'Dockerfile')), 'utf8');
  const buildArgs = { BASE: image ?? stock, PACKAGES: apt.join(' ') };
  const folder = (): string => mkdtempSync(join(tmpdir(), 'trowel-image-'));
  if (dockerfile !== undefined) {
    const text = readFileSync(resolve(dir, dockerfile), 'utf8');
    const exclude = [...IGNORED, OWN_TARBALLS].flatMap((name) => [name, `**/${name}`]);
    if (!buildsOnTrowel(text)) {
      return { image: ecs.ContainerImage.fromAsset(dir, { file: dockerfile, platform, exclude }) };
    }
    // Both are in one file: a build finds no image that is only on this machine, but it finds an earlier stage.
    const context = join(folder(), 'project');
    cpSync(dir, context, { recursive: true, dereference: true, filter: (path) => !isIgnored(basename(path)) });
    writeFileSync(join(context, 'Dockerfile.trowel'), `${own}\n${text}`);
    return {
      image: ecs.ContainerImage.fromAsset(context, { file: 'Dockerfile.trowel', platform, buildArgs, exclude }),
    };
  }
  if (apt.length > 0) {
    const context = folder();
    writeFileSync(join(context, 'Dockerfile'), own);
    return { image: ecs.ContainerImage.fromAsset(context, { platform, buildArgs }) };
  }
  if (image !== undefined) return asItIs(image);
  return { image: ecs.ContainerImage.fromRegistry(stock), user: NOBODY, home: '/tmp' };
}

export function asItIs(name: string): ProjectImage {
  return { image: ecs.ContainerImage.fromRegistry(name), name };
}

/** An image in an ECR repository of an account is pulled with the execution role; any other registry asks for no rights. */
export function grantPull(scope: Construct, image: string, executionRole: Role): void {
  const [, account, region, name] =
    /^(\d{12})\.dkr\.ecr\.([\w-]+)\.amazonaws\.com(?:\.cn)?\/([^:@]+)/.exec(image) ?? [];
  if (account === undefined || region === undefined || name === undefined) return;
  executionRole.addToPolicy(
    new iam.PolicyStatement({
      actions: ['ecr:BatchCheckLayerAvailability', 'ecr:BatchGetImage', 'ecr:GetDownloadUrlForLayer'],
      resources: [
        cdk.Stack.of(scope).formatArn({ service: 'ecr', resource: 'repository', resourceName: name, account, region }),
      ],
    }),
  );
  // The token of a registry belongs to no repository: the API knows no resource here.
  executionRole.addToPolicy(new iam.PolicyStatement({ actions: ['ecr:GetAuthorizationToken'], resources: ['*'] }));
}
