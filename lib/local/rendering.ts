/** How a run renders its tasks: as lib/expression does, with what a dry run and `--show-params` add. */
import { stringify } from 'yaml';
import type { Payload } from '../contract/payload.ts';
import { type RenderRequest, render } from '../expression/render.ts';
import { decode } from '../language/value-form.ts';
import type { Mapping } from '../language/workflow.ts';
import { isUnknown, Unknowns } from './unknowns.ts';

export type Render = typeof render;

export interface Rendering {
  readonly render: Render;
  /** Of tasks that are launched. */
  readonly launched: Render;
  /** Of a dry run: notes that something was skipped, whose stores are unknown from then on. */
  readonly skip?: () => void;
}

/** @param onParams is given what each task sees, when it is rendered */
export function renderingOf(dryRun: boolean, onParams?: (task: string, params: Mapping) => void): Rendering {
  const unknowns = dryRun ? new Unknowns(render) : undefined;
  const basic: Render = unknowns === undefined ? render : (request) => unknowns.render(request);
  const showing = onParams === undefined ? basic : withParams(basic, onParams);
  if (unknowns === undefined) return { render: showing, launched: showing };
  const skip = (): void => {
    unknowns.skipped = true;
  };
  return { render: showing, launched: withoutLimits(showing), skip };
}

export function requestOf({ l, seen = l, b, t, k }: Payload): RenderRequest {
  return { layers: seen, builtins: b.vars, task: t, keys: k };
}

/** `+main+load sees`, and the variables as YAML. */
export function paramsText(task: string, params: Mapping): string {
  const text = stringify(decode(params)).replace(/^(?=.)/gm, '  ');
  return `${task} sees\n${text.trimEnd()}`;
}

function withParams(rendering: Render, onParams: (task: string, params: Mapping) => void): Render {
  return async (request) => {
    const rendered = await rendering(request);
    if (rendered.ok) onParams(request.task, rendered.params);
    return rendered;
  };
}

/** A `_timeout` that only a run gives is none. */
function withoutLimits(rendering: Render): Render {
  return async (request) => {
    const rendered = await rendering(request);
    if (!rendered.ok || !isUnknown(rendered.keys._timeout)) return rendered;
    const { _timeout: _, ...keys } = rendered.keys;
    return { ...rendered, keys };
  };
}
