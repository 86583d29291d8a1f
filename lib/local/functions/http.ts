import { valuesOf } from '../values.ts';
import type { LocalFunction } from './invoke.ts';
import { acting, type Native, servicesOf } from './native.ts';

/** http>, and what compiles tasks that become known while a workflow runs. */
export function httpFunctions(native: Native): { readonly [name in 'http' | 'http_call' | 'run']: LocalFunction } {
  const { project, context } = native;
  const http = acting(native, async (payload, call) => {
    const { http: request } = await import('../../functions/http/core.ts');
    return request(payload, { ...servicesOf(native, payload, call), values: valuesOf(payload) });
  });
  const fragment = (name: 'run' | 'http_call'): LocalFunction =>
    acting(native, async (payload, call) => {
      const { fragmentFunctions } = await import('./fragments.ts');
      for (const each of project.workflowNames()) project.workflow(each);
      const functions = fragmentFunctions(context, { workflows: project.workflows, http });
      return functions[name](payload, call);
    });
  return { http, run: fragment('run'), http_call: fragment('http_call') };
}
