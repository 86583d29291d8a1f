import { retriable } from '../../lib/contract/faults.ts';
import type { LaunchPayload } from '../../lib/contract/payload.ts';
import { checkVersion } from '../../lib/contract/protocol.ts';
import { render } from '../../lib/expression/render.ts';
import { codeUnchanged } from '../../lib/functions/launch/code.ts';
import type { Started } from '../../lib/functions/launch/compute.ts';
import { launch } from '../../lib/functions/launch/core.ts';
import type { ProjectFiles } from '../../lib/functions/project-files.ts';
import { TASK_DEFAULTS } from '../../lib/language/fargate-sizes.ts';
import { attemptVariables, confined } from '../aws/attempts.ts';
import { bundleFiles } from '../aws/bundle.ts';
import { logger } from '../aws/logger.ts';
import { Objects, parseUri, s3Client } from '../aws/objects.ts';
import { DeployedSecrets, listed, secretCommand } from '../aws/secrets.ts';
import { optional, setting } from '../aws/settings.ts';
import { DeployedTokens } from '../aws/task-tokens.ts';
import { makeCompute } from './compute/index.ts';

/** The state waits for its token and not for this answer: it is for readers of the history. */
export type Answer = ({ readonly started: string; readonly reports?: string } & Started) | { readonly replayed: true };

let bundle: ProjectFiles | undefined;
let clients: { objects: Objects; secrets: DeployedSecrets; tokens: DeployedTokens } | undefined;

/** Invoked with a task token by the state of a py>, sh>, task> or function>. The same event twice starts one container. */
export const handler = retriable(async (given: LaunchPayload): Promise<Answer> => {
  checkVersion(given);
  clients ??= {
    objects: new Objects(s3Client(), setting('TROWEL_BUCKET')),
    secrets: new DeployedSecrets(setting('TROWEL_SECRET_PREFIX')),
    tokens: new DeployedTokens(),
  };
  const { objects, secrets, tokens } = clients;
  const event = confined(given, objects.bucket);
  const launched = await launch(event, {
    render,
    compute: makeCompute({ event, objects }),
    results: objects.records(event),
    values: objects.values(event),
    attemptVariables,
    codeUnchanged: (assignment, sha256) => codeUnchanged(deployedCode(), assignment, sha256),
    missingSecrets: (keys) => secrets.missing(keys),
    secretVersion: (key) => secrets.version(key),
    computable: listed(),
    secretCommand,
    defaultTimeout: Number(optional('TROWEL_TASK_TIMEOUT') ?? TASK_DEFAULTS.timeout),
    pickle: optional('TROWEL_PICKLE') === 'true',
  });
  if ('replayed' in launched) {
    await tokens.succeed(event.token, launched.replayed);
    logger.info('taken over from an earlier attempt', { task: event.t });
    return { replayed: true };
  }
  const { started: id, ...known } = launched;
  logger.info('started', { task: event.t, id, ...known });
  return launched;
});

/** Files of the bundle with which the containers of this version of the function run. */
function deployedCode(): ProjectFiles {
  const place = parseUri(setting('TROWEL_BUNDLE'));
  if (place === undefined) throw new Error('TROWEL_BUNDLE is no address in S3');
  bundle ??= bundleFiles(s3Client(), place);
  return bundle;
}
