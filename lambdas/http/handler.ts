import { present } from '../../lib/asl/present.ts';
import { retriable } from '../../lib/contract/faults.ts';
import type { Payload, StoreResult } from '../../lib/contract/payload.ts';
import { checkVersion } from '../../lib/contract/protocol.ts';
import { render } from '../../lib/expression/render.ts';
import { http } from '../../lib/functions/http/core.ts';
import { remount } from '../../lib/functions/http/secrets.ts';
import { confined, withValues } from '../aws/attempts.ts';
import { logger } from '../aws/logger.ts';
import { Objects, s3Client } from '../aws/objects.ts';
import { once } from '../aws/recorded.ts';
import { DeployedSecrets, listed, missingSecret } from '../aws/secrets.ts';
import { deployedReach, setting } from '../aws/settings.ts';

let clients: { objects: Objects; secrets: DeployedSecrets } | undefined;

/** Milliseconds of the function's time that are left for its answer. */
const ANSWER = 5_000;

/** As Lambda calls it. */
interface Context {
  getRemainingTimeInMillis(): number;
}

/** Invoked by the state of an http>. A function whose time is up fails under a name that no `_retry` knows: it gives up before. */
export const handler = retriable(async (given: Payload, context?: Context): Promise<StoreResult> => {
  checkVersion(given);
  const signal = context && AbortSignal.timeout(Math.max(0, context.getRemainingTimeInMillis() - ANSWER));
  clients ??= {
    objects: new Objects(s3Client(), setting('TROWEL_BUCKET')),
    secrets: new DeployedSecrets(setting('TROWEL_SECRET_PREFIX')),
  };
  const { objects, secrets } = clients;
  const event = confined(given, objects.bucket);
  return once(
    event,
    objects,
    (key) => secrets.readVersion(key),
    () =>
      withValues(event, objects, (payload) =>
        http(payload, {
          render,
          secret: (key, mounts) => secrets.get(remount(key, mounts)),
          missingSecret,
          computable: listed(),
          values: objects.values(event),
          reach: deployedReach(),
          log: (line) => logger.info(line, { task: event.t }),
          ...present({ signal }),
        }),
      ),
  );
});
