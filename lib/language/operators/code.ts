/** Operators that run the user's code: sh>, py>. */
import { DISK, LEAST_MEMORY, MOST_MEMORY, showSize } from '../fargate-sizes.ts';
import { flag, type OperatorSpec, type OptionSpec, text } from './spec.ts';

const DOCKER: OptionSpec = {
  type: 'mapping',
  description: 'Container image of this task.',
  keys: {
    image: text('Name of the image, such as python:3.11-slim.'),
    docker: text('Command of the container engine. Default: docker, else podman.'),
    run_options: { type: 'list', default: [], description: 'More options for `docker run`.' },
    pull_always: flag('Pull the image before the first task of a run that uses it.', false),
    selinux: flag('Mount with an SELinux label.', false),
    build: { type: 'list', description: 'Commands that are run once on top of the image (RUN).' },
    build_options: { type: 'list', default: [], description: 'More options for `docker build`.' },
  },
};

const RESOURCES: OptionSpec = {
  type: 'mapping',
  description: 'Size of the container; overrides `task` in trowel.yml.',
  keys: {
    cpu: {
      type: 'cpu',
      description: 'CPU units; 1024 is one vCPU. Fargate has only some pairs of `cpu` and `memory`.',
    },
    memory: { type: 'memory', description: `${showSize(LEAST_MEMORY)} to ${showSize(MOST_MEMORY)}.` },
    disk: { type: 'disk', description: `${DISK.least} to ${DISK.most} GB.` },
    spot: { type: 'boolean', description: 'Run on Fargate Spot.' },
    architecture: text('Processor.', { oneOf: ['x86_64', 'arm64'] }),
    heartbeat: {
      type: 'seconds',
      description: 'Longest time without a sign of life before the task counts as lost, such as 5m.',
    },
  },
};

const CONTAINER_OPTIONS = {
  docker: DOCKER,
  resources: RESOURCES,
  ecs: { type: 'mapping', description: "digdag's ECS settings; accepted, but without effect." },
} as const satisfies OperatorSpec['options'];

export const CODE: { readonly [operator: string]: OperatorSpec } = {
  sh: {
    description: 'Runs a shell script. Parameters are environment variables.',
    kind: 'container',
    runs: 'shell',
    command: text('The script.', { required: true }),
    options: {
      shell: {
        type: 'list',
        default: ['/bin/sh'],
        description: 'Command that runs the script, such as ["/bin/bash", "-e"].',
      },
      ...CONTAINER_OPTIONS,
    },
    stores: 'nothing',
    defaults: 'sh',
    secrets: ['command'],
  },
  py: {
    description: 'Calls a Python function or method.',
    kind: 'container',
    runs: 'python',
    command: text('module.function or module.Class.method.'),
    commandElsewhere: ['script'],
    options: {
      python: { type: ['text', 'list'], description: 'Python command for this task.' },
      script: text('A script to run instead of a function, with `_type: py` and no command.'),
      ...CONTAINER_OPTIONS,
    },
    stores: 'anything',
    defaults: 'py',
  },
};
