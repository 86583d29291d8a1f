import type { Payload } from '../../contract/payload.ts';
import type { Reference } from '../../language/value-form.ts';
import { valuesOf } from '../values.ts';
import type { LocalFunction } from './invoke.ts';
import { acting, type Native, servicesOf } from './native.ts';

export function notifyFunction(native: Native): LocalFunction {
  return acting(native, async (payload, call) => {
    const [{ notify }, { projectFiles }, { claimHere }] = await Promise.all([
      import('../../functions/notify/core.ts'),
      import('../../functions/project-files.ts'),
      import('./claims.ts'),
    ]);
    const { root, workflow } = payload.b.attempt;
    return notify(payload, {
      ...servicesOf(native, payload, call),
      files: projectFiles(native.project.dir),
      claim: (_payload: Payload, key: string) => claimHere(root, key),
      about: () => ({ retry: `trowel run ${workflow} --resume` }),
      readValue: (_payload: Payload, reference: Reference) => valuesOf(payload).bytes(reference),
    });
  });
}
