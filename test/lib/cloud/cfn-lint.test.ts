/**
 * The examples' templates, judged by AWS's own linter against the schemas of all resources, and by the CDK's validation of CloudFormation.
 * Covers lib/cloud/trowel-stack.ts, lib/functions/network/template.ts.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { App } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { afterAll, expect, it, onTestFinished, vi } from 'vitest';
import { loadTrowelProject } from '../../../lib/cloud/load-project.ts';
import { TrowelStack } from '../../../lib/cloud/trowel-stack.ts';
import { NETWORK_TEMPLATE } from '../../../lib/functions/network/template.ts';
import { testPython } from '../../python.ts';
import { first } from '../../thorough.ts';

const ROOT = join(import.meta.dirname, '..', '..', '..');
const folder = mkdtempSync(join(tmpdir(), 'trowel-cfn-lint-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Finding {
  readonly Level: string;
  readonly Filename: string;
  readonly Message: string;
  readonly Location: { readonly Path?: readonly (string | number)[] };
  readonly Rule: { readonly Id: string };
}

/** Files are judged at once: its start takes seconds of a processor. */
function lint(...files: readonly string[]): Promise<readonly Finding[]> {
  return new Promise((resolve, reject) => {
    const args = ['--format', 'json', '--regions', 'us-east-1', '--', ...files];
    // The exit code says only that there are findings.
    execFile(join(dirname(testPython()), 'cfn-lint'), args, { maxBuffer: 1e8 }, (_, stdout, stderr) => {
      try {
        resolve(JSON.parse(stdout));
      } catch {
        reject(new Error(stderr));
      }
    });
  });
}

/** Synthesised with the CDK's own validation; the template's file. */
async function templateOf(path: string): Promise<string> {
  // What `trowel init` writes is a folder of templates, which has everything that a deploy reads.
  const example = basename(path);
  const project = await loadTrowelProject(join(ROOT, path), { notice: () => {} });
  const app = new App({ outdir: join(folder, `${example}.out`) });
  const stack = new TrowelStack(app, example, { project });
  app.synth();
  return written(example, Template.fromStack(stack).toJSON());
}

function written(name: string, template: object): string {
  const file = join(folder, `${name}.json`);
  writeFileSync(file, JSON.stringify(template));
  return file;
}

const PROJECTS = ['examples/quickstart', 'templates/project', 'examples/operator-guide'];

it('cfn-lint passes the projects and the network that they share, and finds what is wrong', async () => {
  onTestFinished(() => void vi.unstubAllEnvs());
  vi.stubEnv('CDK_VALIDATION', 'true');
  const files = [written('network', NETWORK_TEMPLATE)];
  for (const path of first(1, PROJECTS)) files.push(await templateOf(path));
  const Properties = { Runtime: 'nodejs1', Role: 'x', Code: {}, Handler: 'a.b' };
  const wrong = written('wrong', { Resources: { F: { Type: 'AWS::Lambda::Function', Properties } } });
  const found = await lint(...files, wrong);
  const faults = found.map(
    ({ Filename, Rule, Message, Location }) =>
      `${basename(Filename)} ${Rule.Id} ${Location.Path?.join('/')}: ${Message}`,
  );
  expect(faults.filter((text) => !text.startsWith('wrong.json '))).toEqual([]);
  expect(faults).toContainEqual(expect.stringMatching(/^wrong\.json E3030 /));
});
