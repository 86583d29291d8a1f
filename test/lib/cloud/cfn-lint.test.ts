/** The examples' templates, judged by AWS's own linter against the schemas of all resources, and by the CDK's validation of CloudFormation. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { App } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { afterAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { loadTrowelProject } from '../../../lib/cloud/load-project.ts';
import { TrowelStack } from '../../../lib/cloud/trowel-stack.ts';
import { NETWORK_TEMPLATE } from '../../../lib/functions/network/template.ts';
import { testPython } from '../../python.ts';

const ROOT = join(import.meta.dirname, '..', '..', '..');
const folder = mkdtempSync(join(tmpdir(), 'trowel-cfn-lint-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Finding {
  readonly Level: string;
  readonly Message: string;
  readonly Location: { readonly Path?: readonly (string | number)[] };
  readonly Rule: { readonly Id: string };
}

function lint(file: string): Promise<readonly Finding[]> {
  return new Promise((resolve, reject) => {
    const args = ['--format', 'json', '--regions', 'us-east-1', '--', file];
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

describe('cfn-lint passes', () => {
  it.each(['examples/quickstart', 'examples/operator-guide', 'templates/project'])('%s', async (path) => {
    // What `trowel init` writes is a folder of templates, which has everything that a deploy reads.
    const example = basename(path);
    const project = await loadTrowelProject(join(ROOT, path), { notice: () => {} });
    onTestFinished(() => void vi.unstubAllEnvs());
    vi.stubEnv('CDK_VALIDATION', 'true');
    const app = new App({ outdir: join(folder, `${example}.out`) });
    const stack = new TrowelStack(app, example, { project });
    app.synth();
    const template = Template.fromStack(stack);
    const file = join(folder, `${example}.json`);
    writeFileSync(file, JSON.stringify(template.toJSON()));
    const found = await lint(file);
    expect(found.map(({ Rule, Message, Location }) => `${Rule.Id} ${Location.Path?.join('/')}: ${Message}`)).toEqual(
      [],
    );
  });

  it('the network that projects share', async () => {
    const file = join(folder, 'network.json');
    writeFileSync(file, JSON.stringify(NETWORK_TEMPLATE));
    expect(await lint(file)).toEqual([]);
  });

  it('and finds what is wrong', async () => {
    const file = join(folder, 'wrong.json');
    const Properties = { Runtime: 'nodejs1', Role: 'x', Code: {}, Handler: 'a.b' };
    writeFileSync(file, JSON.stringify({ Resources: { F: { Type: 'AWS::Lambda::Function', Properties } } }));
    expect((await lint(file)).map(({ Rule }) => Rule.Id)).toContain('E3030');
  });
});
