/**
 * Tasks that become known while a workflow runs: the workflow that http_call> fetches, and subtasks of a Python task whose operator the
 * runner leaves to the host. Each is compiled as a machine of its own, which sees the layers of the task it belongs to.
 */

import { present } from '../../asl/present.ts';
import type { Json } from '../../asl/types.ts';
import { type CompileResult, compileFragment } from '../../compiler/compile.ts';
import { ERRORS, TrowelError } from '../../contract/errors.ts';
import { failureOf } from '../../contract/failure.ts';
import { type Payload, PROTOCOL, type StoreResult } from '../../contract/payload.ts';
import { storeResult } from '../../contract/stores.ts';
import type { Diagnostic } from '../../language/diagnostic.ts';
import { type ParsedWorkflow, parseWorkflow, workflowFromValue } from '../../language/dig/parse-workflow.ts';
import type { Mapping, Node, Value, Workflow } from '../../language/workflow.ts';
import type { RunContext } from '../run/run-options.ts';
import type { LocalFunction } from './invoke.ts';

export interface FragmentServices {
  /** Of the project, for call> and require> in a fragment. */
  readonly workflows: ReadonlyMap<string, Workflow>;
  /** http>, as lib/functions/http answers it. */
  readonly http: LocalFunction;
}

/** The functions `run` (add_subtask) and `http_call`. */
export function fragmentFunctions(
  context: RunContext,
  services: FragmentServices,
): { readonly [Name in 'run' | 'http_call']: LocalFunction } {
  const run = async (payload: Payload, workflow: Workflow, node: Node, signal: AbortSignal): Promise<StoreResult> => {
    const { compiled, diagnostics } = compileFragment(workflow, node, {
      workflows: services.workflows,
      limits: 'warning',
    });
    if (compiled === undefined) throw new TrowelError(ERRORS.badInput, told({ diagnostics }));
    const input = {
      v: PROTOCOL,
      n: payload.t,
      l: payload.l,
      b: unauthored(payload),
      ...present({ r: payload.r, W: payload.w }),
    } as Json;
    const outcome = await context.execute(compiled, input, signal);
    if (outcome.status !== 'SUCCEEDED') throw failed({ Error: outcome.error, Cause: outcome.cause });
    const { stored = {}, failure } = outcome.output as {
      stored?: Mapping;
      failure?: { f: Failed; o?: Failed };
    };
    if (failure !== undefined) throw failed(failure.o ?? failure.f);
    return storeResult(payload, stored);
  };
  return {
    run: async (given, call) => {
      const payload = given as Payload;
      const { workflow, node } = only(workflowFromValue('subtask', 'subtask.dig', { '+subtask': payload.k as Value }));
      return (await run(payload, workflow, { ...node, name: '' }, call.signal)) as Json;
    },
    http_call: async (given, call) => {
      const payload = given as Payload;
      const { m: _, w: __, ...bare } = payload;
      const request = { ...bare, op: 'http', k: asRequest(payload) } as Json;
      const fetched = (await services.http(request, call)) as { stored?: { http?: { last_content?: Value } } };
      const { workflow } = only(parsed(fetched.stored?.http?.last_content ?? ''));
      return (await run(payload, workflow, { ...workflow.root, name: '^sub' }, call.signal)) as Json;
    },
  };
}

/** What is fetched, or made by Python, is data: only the layers around it may ask for secrets. */
function unauthored({ b, l }: Payload): Payload['b'] {
  const { authored = l.length } = b.attempt;
  return { ...b, attempt: { ...b.attempt, authored } };
}

/** http_call> takes the options of http>; the answer is wanted whatever they say. */
function asRequest({ op, k }: Payload): Mapping {
  const { [`${op}>`]: uri, _type, ...others } = k;
  return { ...others, ...present({ 'http>': uri }), store_content: true };
}

/** JSON if it is, else YAML. */
function parsed(content: Value): ParsedWorkflow {
  const text = typeof content === 'string' ? content : JSON.stringify(content);
  try {
    return workflowFromValue('http_call', 'http_call.dig', JSON.parse(text) as Value);
  } catch {
    return parseWorkflow('http_call', 'http_call.dig', text);
  }
}

function only(read: ParsedWorkflow): { readonly workflow: Workflow; readonly node: Node } {
  const [node] = read.workflow?.root.children ?? [];
  const broken = read.diagnostics.some((diagnostic) => diagnostic.severity === 'error');
  if (broken || read.workflow === undefined) throw new TrowelError(ERRORS.badInput, told(read));
  return { workflow: read.workflow, node: node ?? read.workflow.root };
}

function told({ diagnostics }: Pick<CompileResult, 'diagnostics'>): string {
  const line = ({ message, notes }: Diagnostic): string => [message, ...notes].join('. ');
  return (
    diagnostics
      .filter((diagnostic) => diagnostic.severity === 'error')
      .map(line)
      .join('\n') || 'Expected a workflow'
  );
}

interface Failed {
  readonly Error?: string | undefined;
  readonly Cause?: string | undefined;
}

function failed(output: Failed): TrowelError {
  const { name, message } = failureOf({ Error: output.Error, Cause: output.Cause });
  return new TrowelError(name as (typeof ERRORS)[keyof typeof ERRORS], message);
}
