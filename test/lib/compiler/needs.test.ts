/** Also covers task-needs.ts. */
import { describe, expect, it } from 'vitest';
import type { Mapping } from '../../../lib/language/workflow.ts';
import { compiledText } from './play.ts';

const OTHERS = { 'other.dig': '+b:\n  sh>: echo ${secret:b}\n', 'third.dig': '+c:\n  echo>: c\n' };
const DEPLOY = { params: {}, secrets: ['eu.pass', 'us.pass'] };

/** `KIND fields @ task`, a line for each need of a workflow that has `task` as its only task; functions are left out. */
function needs(task: string, deploy: { readonly params: Mapping; readonly secrets: readonly string[] } = DEPLOY) {
  const text = `+t:\n  ${task.trim().replaceAll('\n', '\n  ')}\n`;
  const compiled = compiledText(text, OTHERS, { target: 'aws', deploy, line: ({ start }) => start });
  return compiled.needs
    .filter(({ kind }) => kind !== 'function')
    .map(({ kind, machine, state, ...fields }) => {
      const place = `${machine === 'main' ? '' : `${machine} `}${compiled.tasks[state]?.task ?? state}`;
      return `${kind} ${JSON.stringify(fields).replaceAll('"', '')} @ ${place}`;
    });
}

/** The payload of the only state that calls this function. */
function payloads(task: string, fn: string, params: Mapping = {}): Mapping[] {
  const { machine } = compiledText(`+t:\n  ${task}\n`, OTHERS, { target: 'aws', deploy: { ...DEPLOY, params } });
  return Object.values(machine.States).flatMap((state) => {
    const given = (state.Type === 'Task' ? state.Arguments : {}) as Mapping;
    return given.FunctionName === `\${${fn}}` ? [given.Payload as Mapping] : [];
  });
}

describe('needs of a workflow', () => {
  it.each<[string, string, string[]]>([
    ['a container', 'py>: t.f', ['container {definition:default,secrets:[]} @ +main+t']],
    [
      'an image and the secrets of its _env, under the names that _secrets gives',
      'py>: t.f\ndocker: {image: img}\n_env: {P: "${secret:db.pass}", Q: "${secret:a}"}\n_secrets: {db: {pass: my.key}}',
      [
        'container {definition:e108956c2955,image:img,secrets:[a,my.key]} @ +main+t',
        'secret {key:my.key} @ +main+t',
        'secret {key:a} @ +main+t',
      ],
    ],
    [
      'all candidates of a secret that an expression names',
      'sh>: echo ${secret:${zone}.pass}',
      ['container {definition:70a8ceca56f3,secrets:[eu.pass,us.pass]} @ +main+t'],
    ],
    ['secrets of http>, anywhere', 'http>: "http://x/${secret:a}"', ['secret {key:a} @ +main+t']],
    ['the address of slack>', 'slack>: hi', ['secret {key:slack.webhook} @ +main+t']],
    ['a sender', 'mail>: b.txt\nsubject: x\nto: [a@b.c]\nfrom: me@b.c', ['mail {from:me@b.c,server:false} @ +main+t']],
    [
      'a mail server of an _export around it, and no other',
      '_export: {mail: {host: h}}\n+a:\n  _export: {mail: {from: x@b.c}}\n  +m: {mail>: b.txt, subject: x, to: [a@b.c]}\n+b:\n  _export: {mail: {from: y@b.c}}\n  +e: {echo>: x}',
      ['mail {from:x@b.c,server:true} @ +main+t+a+m'],
    ],
    [
      'a call of a service, with its arguments as written',
      'aws>: s3:getObject\narguments: {Bucket: b, Key: "${k}"}',
      ['call {resource:arn:aws:states:::aws-sdk:s3:getObject,arguments:{Bucket:b,Key:${k}}} @ +main+t'],
    ],
    [
      'a function of the user’s',
      'lambda>: fn\nqualifier: live',
      ['call {resource:arn:aws:states:::lambda:invoke,arguments:{FunctionName:fn,Qualifier:live}} @ +main+t'],
    ],
    ['an object', 's3_wait>: "b/in/${day}"', ['object {path:b/in/*,version:false} @ +main+t']],
    [
      'a workflow that it starts',
      'require>: third',
      ['machine {name:third,waits:true} @ +main+t', 'execution {workflow:third,action:describe} @ +main+t^describe'],
    ],
    [
      'what a called file needs',
      'call>: other',
      ['container {definition:66be17fedcb1,secrets:[b]} @ +main+t^sub+b', 'secret {key:b} @ +main+t^sub+b'],
    ],
    ['nothing of what no state leads to', '+a: {fail>: x}\n+b: {py>: t.f}', []],
  ])('%s', (_, task, expected) => {
    expect(needs(task)).toEqual(expected);
  });

  it('those of files that an expression names are with their own machines', () => {
    const found = needs('call>: "${file}"');
    expect(found.slice(0, 3)).toEqual([1, 2, 3].map((n) => `machine {name:main_call${n},waits:true} @ +main+t^call`));
    expect(found).toContain('secret {key:b} @ main_call2 ^other^sub+b');
  });

  it.each<[string, string, Mapping, boolean]>([
    ['a task', 'py>: t.f\nresources: {spot: "${s}"}', {}, true],
    ['a task that says no', 'py>: t.f\nresources: {spot: false}', {}, false],
    ['an _export around it', '_export: {resources: {spot: true}}\n+a: {py>: t.f}', {}, true],
    ['an _export of an _error', '+a: {py>: t.f, _error: {_export: {resources: {spot: true}}, sh>: x}}', {}, true],
    ['an _export beside it', '+a: {_export: {resources: {spot: true}}, echo>: x}\n+b: {py>: t.f}', {}, false],
    ['a loop around it', 'for_each>: {resources: [{spot: true}]}\n_do: {py>: t.f}', {}, true],
    ['a parameter', 'py>: t.f', { resources: { spot: true } }, true],
    ['a caller by an expression', '_export: {resources: {spot: true}}\n+a: {call>: "${file}"}', {}, true],
  ])('Spot, asked for by %s', (_, task, params, asked) => {
    expect(needs(task, { ...DEPLOY, params }).some((need) => need.startsWith('spot'))).toBe(asked);
  });
});

describe('what a deployed machine has in addition', () => {
  it('a key of the task definition, where it is not the project’s', () => {
    expect(payloads('py>: t.f', 'launch')[0]).not.toHaveProperty('d');
    expect(payloads('{py>: t.f, docker: {image: img}}', 'launch')).toMatchObject([{ d: 'a9017b9965df' }]);
  });

  it('parameters of trowel.yml for `session`, as text that is no expression, and the role of tasks', () => {
    const params = { region: 'eu', text: '{% 1 %}', db: { host: 'a', port: 1 } };
    expect(payloads('echo>: a', 'session', params)).toMatchObject([
      { defaults: { ...params, text: '{% "{"&"% 1 %}" %}' }, taskRole: '${task_role}' },
    ]);
    expect(payloads('echo>: a', 'session')[0]).not.toHaveProperty('defaults');
  });
});
