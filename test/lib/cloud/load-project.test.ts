import { describe, expect, it } from 'vitest';
import { ProjectError } from '../../../lib/cloud/project-error.ts';
import { ECHO, folder, load, setUp } from './deploy-template.ts';

setUp();

describe('a project that cannot be deployed', () => {
  it.each<[string, { readonly [path: string]: string }, string, RegExp]>([
    [
      'every fault at once',
      { 'main.dig': '+a:\n  shell>: x\n', 'b.dig': '+a:\n  ech>: x\n' },
      'unknown-operator',
      /b\.dig:2.*main\.dig:2/s,
    ],
    [
      'a schedule beyond Scheduler',
      { 'main.dig': `schedule:\n  seconds_interval>: 30\n${ECHO}` },
      'bad-schedule',
      /every 30 seconds/,
    ],
    [
      'an image by expression',
      { 'main.dig': '+a:\n  py>: tasks.a\n  docker: {image: "${x}"}\n' },
      'bad-option',
      /\$\{x\}/,
    ],
    [
      'http_call>',
      { 'main.dig': '+a:\n  http_call>: https://example.com\n' },
      'deployed-only-here',
      /cannot be deployed/,
    ],
    ['no workflow', { 'trowel.yml': 'name: x\n' }, 'file-not-found', /no workflow/],
    [
      'no way to the image',
      { 'main.dig': ECHO, 'trowel.yml': 'network: {subnets: private, endpoints: true}\n' },
      'project-file',
      /public registry/,
    ],
  ])('%s', async (name, files, code, text) => {
    const error = await load(folder(`fault-${name.replaceAll(/\W/g, '-')}`, files)).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ProjectError);
    expect((error as ProjectError).diagnostics.map((each) => each.code)).toContain(code);
    expect((error as ProjectError).message).toMatch(text);
  });
});
