import { createHash } from 'node:crypto';
import { join } from 'node:path';
import aslValidator from 'asl-validator';
import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../lib/asl/limits.ts';
import { lintMachine } from '../../lib/asl/lint.ts';
import type { StateMachine } from '../../lib/asl/types.ts';
import { rightsOf } from '../../lib/cloud/rights.ts';
import { checkExpressions } from '../../lib/compiler/check-expressions.ts';
import { compile } from '../../lib/compiler/compile.ts';
import { definitionText } from '../../lib/compiler/definition-text.ts';
import { loadProject } from '../../lib/language/project.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const PROJECTS = ['examples/quickstart', 'examples/operator-guide', 'templates/project'];

/** What Step Functions gets once CloudFormation has put a value for each placeholder. */
function deployed(machine: StateMachine): { readonly text: string; readonly machine: StateMachine } {
  const arn = (name: string) =>
    name.startsWith('sm_')
      ? `arn:aws:states:eu-west-1:123456789012:stateMachine:${name}`
      : `arn:aws:lambda:eu-west-1:123456789012:function:${createHash('sha256').update(name).digest('hex').slice(0, 40)}:1`;
  const text = definitionText(machine).replaceAll(/\$\{([^}]*)\}/g, (_, name: string) => arn(name));
  return { text, machine: JSON.parse(text) as StateMachine };
}

describe.each(PROJECTS)('%s, deployed', async (folder) => {
  const project = await loadProject(join(ROOT, folder));
  const { workflows, config, sources } = project;
  for (const name of project.workflowNames()) project.workflow(name);

  it.each([...workflows.values()].map((workflow) => [workflow.file, workflow] as const))('%s', async (_, workflow) => {
    const { compiled, diagnostics } = compile(workflow, { workflows, timezone: config.timezone, target: 'aws' });
    const found = [...diagnostics, ...(await checkExpressions(workflow, { workflows, params: [], sources }))];
    expect(found.filter(({ severity }) => severity === 'error')).toEqual([]);
    const machines = compiled === undefined ? [] : [compiled.machine, ...Object.values(compiled.nested)];
    expect(machines.length).toBeGreaterThan(0);
    for (const each of machines) {
      const { text, machine } = deployed(each);
      expect(lintMachine(machine)).toEqual([]);
      const { isValid, errorsText } = aslValidator(machine);
      expect(isValid, errorsText('\n')).toBe(true);
      expect(Buffer.byteLength(text)).toBeLessThan(LIMITS.definitionBytes / 10);
    }
    expect(rightsOf(compiled?.needs ?? []).unknown).toEqual([]);
  });
});
