import { describe, expect, it } from 'vitest';
import { compile } from '../../../lib/compiler/compile.ts';
import { projectNeeds } from '../../../lib/deployed/project-needs.ts';
import { lineFinder } from '../../../lib/language/line-finder.ts';
import { loadProject } from '../../../lib/language/project.ts';
import { project } from '../cli/run-cli.ts';

async function needs(files: { readonly [path: string]: string }) {
  const loaded = await loadProject(await project(files));
  const all = [...loaded.workflows.values()].map((workflow) => {
    const { compiled } = compile(workflow, {
      workflows: loaded.workflows,
      line: lineFinder(loaded.sources),
      target: 'aws',
    });
    if (compiled === undefined) throw new Error(workflow.name);
    return compiled;
  });
  return projectNeeds(all, loaded.config);
}

describe('what a project needs of an account', () => {
  it.each([
    ['a task’s _env', '+a:\n  py>: t.f\n  _env: {P: "${secret:db.password}"}\n', ['db.password']],
    ['_env of a group', '_env: {P: "${secret:x}"}\n+a:\n  py>: t.f\n', ['x']],
    ['the text of sh>', '+a:\n  sh>: echo ${secret:x}\n', ['x']],
    ['not the argument of py>', '+a:\n  py>: t.f\n  key: ${secret:x}\n', []],
    ['headers of http>', '+a:\n  http>: http://x\n  headers: [{A: "Bearer ${secret:token}"}]\n', ['token']],
    [
      'another name by _secrets',
      '+a:\n  sh>: echo ${secret:db.password}\n  _secrets: {db: {password: my.key}}\n',
      ['my.key'],
    ],
    ['slack> without an address', '+a:\n  slack>: hello\n', ['slack.webhook']],
    ['slack> with one', '+a:\n  slack>: hello\n  webhook: ${secret:other}\n', ['other']],
    ['a key that is an expression', '+a:\n  sh>: echo ${secret:${db}.password}\n', []],
  ])('secrets of %s', async (_what, text, expected) => {
    const { secrets } = await needs({ 'main.dig': text });
    expect([...secrets.keys()]).toEqual(expected);
  });

  it('says who asks for a secret, trowel.yml too', async () => {
    const { secrets } = await needs({
      'trowel.yml': 'secrets: [eu.password]\nnotifications: {slack: "secret:team.hook"}\n',
      'main.dig': '+a:\n  py>: t.f\n  _env: {P: "${secret:x}"}\n+b:\n  sh>: echo ${secret:x}\n',
    });
    expect(Object.fromEntries(secrets)).toEqual({
      x: ['+main+a (main.dig:1)', '+main+b (main.dig:4)'],
      'eu.password': ['`secrets:` of trowel.yml'],
      'team.hook': ['`notifications:` of trowel.yml'],
    });
  });

  it.each([
    ['one after another', '+a:\n  py>: t.f\n+b:\n  py>: t.f\n', 1],
    ['at once', '_parallel: true\n+a:\n  py>: t.f\n+b:\n  sh>: x\n+c:\n  echo>: x\n', 2],
    [
      'groups at once',
      '_parallel: true\n+a:\n  _parallel: true\n  +x:\n    py>: t.f\n  +y:\n    py>: t.f\n+b:\n  py>: t.f\n',
      3,
    ],
    ['no container', '+a:\n  echo>: x\n', 0],
  ])('containers: %s', async (_what, text, containers) => {
    expect((await needs({ 'main.dig': text })).widest.containers).toBe(containers);
  });

  it.each([
    ['a sender', 'from: Me <me@example.com>', true, ['me@example.com']],
    ['a sender that only the run knows', 'from: ${who}@example.com', true, []],
    ['a server of its own', 'from: me@example.com\n  host: smtp.example.com', false, []],
    ['a sender of an _export', '_export: {mail: {from: us@example.com}}', true, ['us@example.com']],
    ['a server of an _export', '_export: {mail: {host: smtp.example.com}}', false, []],
  ])('mail> with %s', async (_what, keys, mails, senders) => {
    const found = await needs({
      'body.txt': 'hello',
      'main.dig': `+a:\n  mail>: body.txt\n  subject: x\n  to: [you@example.com]\n  ${keys}\n`,
    });
    expect(found.mails).toBe(mails);
    expect([...found.senders.keys()]).toEqual(senders);
  });
});
