/** The states of mail>, slack>, notify> and of an sla's alert, as they invoke the function. */

import { present } from '../../lib/asl/present.ts';
import { badInput } from '../../lib/contract/errors.ts';
import type { Payload, StoreResult } from '../../lib/contract/payload.ts';
import { render, renderText } from '../../lib/expression/render.ts';
import { remount } from '../../lib/functions/http/secrets.ts';
import { type NotifyServices, notify } from '../../lib/functions/notify/core.ts';
import { type ExecutionServices, retryCommand } from '../../lib/functions/notify/execution-ended.ts';
import { LARGEST_RAW } from '../../lib/functions/notify/mail.ts';
import { late } from '../../lib/functions/notify/sla.ts';
import type { ProjectFiles } from '../../lib/functions/project-files.ts';
import { attemptOf, executionOf, withValues } from '../aws/attempts.ts';
import { bundleFiles } from '../aws/bundle.ts';
import { logger } from '../aws/logger.ts';
import { parseUri } from '../aws/objects.ts';
import { once } from '../aws/recorded.ts';
import { listed, missingSecret } from '../aws/secrets.ts';
import { sendBySes } from '../aws/ses.ts';
import { deployedReach, optional } from '../aws/settings.ts';
import type { Clients } from './clients.ts';

export async function operator(event: Payload, clients: Clients, services: ExecutionServices): Promise<object> {
  if (event.op === 'sla') return late(event, services);
  const { objects, secrets } = clients;
  return once(
    event,
    objects,
    (key) => secrets.readVersion(key),
    () => withValues(event, objects, (payload) => act(payload, clients, services)),
  );
}

function act(payload: Payload, clients: Clients, services: ExecutionServices): Promise<StoreResult> {
  const { objects, secrets, s3 } = clients;
  const slack = optional('TROWEL_SLACK_SECRET');
  const { root } = payload.b.attempt;
  const name = executionOf(root);
  const needed: NotifyServices = {
    render,
    renderText,
    files: filesOf(s3),
    secret: (key, mounts) => secrets.get(remount(key, mounts)),
    missingSecret,
    computable: listed(),
    reach: deployedReach(),
    log: (line) => logger.info(line, { task: payload.t }),
    notifications: slack === undefined ? {} : { slack },
    ...present({ publish: clients.publish }),
    claim: (_payload, key) => services.marks.claim(attemptOf(root), key),
    about: ({ b }) => {
      const { execution } = b.attempt;
      const link = execution === undefined ? undefined : services.consoleLink(execution);
      return { attempt: name, retry: retryCommand(name), ...present({ execution: link }) };
    },
    readText: (uri) => services.read(uri, attemptOf(root)),
    readValue: async (_payload, reference) => {
      if (reference.bytes > LARGEST_RAW) {
        throw badInput(`A value of ${reference.bytes} bytes cannot be attached: SES takes ${LARGEST_RAW} a mail`);
      }
      return objects.values(payload).bytes(reference);
    },
    sendRaw: sendBySes,
  };
  return notify(payload, needed);
}

/** Files of the bundle, where the project has a mail> that names one. */
function filesOf(s3: Clients['s3']): ProjectFiles {
  const place = parseUri(optional('TROWEL_BUNDLE') ?? '');
  if (place !== undefined) return bundleFiles(s3, place);
  return {
    read: (path) => Promise.reject(badInput(`File not found: ${path}: this function was deployed without files`)),
  };
}
