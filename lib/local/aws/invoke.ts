import { TaskError } from '../../engine/errors.ts';
import type { Invoke } from '../../engine/types.ts';
import { seen } from '../../expression/mask.ts';
import type { Mapping } from '../../language/workflow.ts';
import { mounted } from '../functions/native.ts';
import type { SecretStore } from '../secrets.ts';
import type { Aws, AwsOptions } from './aws.ts';

/** Resources of AWS, with the user's credentials; the SDK is loaded when the first one is called. */
export function awsInvoke(project: string, store: SecretStore): Invoke {
  const secret: AwsOptions['secret'] = (key, mounts) => mounted(key, mounts as Mapping).then((name) => store.get(name));
  let loaded: Promise<Aws> | undefined;
  return async (call) => {
    loaded ??= import('./aws.ts').then(({ aws }) => aws({ project, secret }));
    try {
      return await (await loaded).invoke(call);
    } catch (error) {
      if (call.signal.aborted || !(error instanceof Error)) throw error;
      throw new TaskError(error.name, seen.mask(error.message));
    }
  };
}
