/** trowel.yml as a zod schema: the source of its checks and of schemas/trowel.schema.json. Loaded only if there is a trowel.yml. */
import { z } from 'zod';
import { asSeconds, DURATION, WHOLE_SECONDS } from '../duration.ts';
import {
  CPU_SIZES,
  DISK,
  LEAST_MEMORY,
  MOST_MEMORY,
  memoryOf,
  SIZE,
  showSize,
  TASK_DEFAULTS,
  WANTED,
} from '../fargate-sizes.ts';
import { PYTHON_VERSIONS } from './project-config.ts';

const A_DURATION = 'a duration, as 30s, 10m, 24h';
const duration = () =>
  z
    .union([z.string({ error: A_DURATION }).meta({ pattern: `${WHOLE_SECONDS}|${DURATION}` }), z.number()], {
      error: A_DURATION,
    })
    .refine((value) => (asSeconds(value) ?? 0) > 0, { error: A_DURATION });
const path = () => z.string({ error: 'the path of a file' }).min(1);
const texts = (what: string) => z.array(z.string({ error: 'text' }), { error: `a list of ${what}` });
const VPC = 'shared, own or the id of a VPC';
const image = () =>
  z
    .string({ error: 'the name of an image' })
    .regex(/^\S+$/, { error: 'the name of an image, such as python:3.11-slim' });
/** Names of system packages. They become part of a shell command in the image's build, so only these characters are allowed. */
const PACKAGE = /^[a-z0-9][a-z0-9.+-]+(:[a-z0-9]+)?(=[\w.+:~-]+)?$/;
const yes = () => z.boolean({ error: 'true or false' });
const days = () =>
  z.int({ error: 'a number of days' }).min(1, { error: 'at least 1 day' }).max(3653, { error: 'at most 3653 days' });
const oneOf = <const T extends readonly [string, ...string[]]>(values: T) =>
  z.enum(values, { error: `one of ${values.join(', ')}` });

const python = z
  .strictObject(
    {
      version: oneOf(PYTHON_VERSIONS)
        .optional()
        .describe('Python of the tasks. Default: `python3` here, 3.11 deployed. Write it in quotes.'),
      requirements: z
        .union([path(), texts('requirement lines')], {
          error: 'the path of a requirements file, or a list of its lines',
        })
        .optional()
        .describe('Path of a requirements file, or a list of its lines. Default: requirements.txt, if it exists.'),
      constraints: path().optional().describe('Path of a pip constraints file.'),
      preload: texts('module names').optional().describe('Modules that are imported once, before any task.'),
    },
    { error: 'a mapping' },
  )
  .describe('Python environment of py> tasks.');

const task = z
  .strictObject(
    {
      // Whether memory goes with cpu is checked in project-config-load.ts.
      cpu: z
        .literal(CPU_SIZES, { error: WANTED.cpu })
        .optional()
        .describe(`CPU units, default ${TASK_DEFAULTS.cpu}. 1024 is one vCPU.`),
      memory: z
        .string({ error: 'a size, such as 512MB or 2GB' })
        .meta({ pattern: SIZE.source })
        .refine((value) => memoryOf(value) !== undefined, { error: WANTED.memory })
        .optional()
        .describe(
          `${showSize(LEAST_MEMORY)} to ${showSize(MOST_MEMORY)}, default ${showSize(TASK_DEFAULTS.memory)}. Fargate has only some pairs of \`cpu\` and \`memory\`.`,
        ),
      disk: z
        .int({ error: WANTED.disk })
        .min(DISK.least, { error: `at least ${DISK.least} GB` })
        .max(DISK.most, { error: `at most ${DISK.most} GB` })
        .optional()
        .describe(`GB, ${DISK.least} to ${DISK.most}, default ${TASK_DEFAULTS.disk}.`),
      timeout: duration()
        .optional()
        .describe(`Longest time of one task. Default ${TASK_DEFAULTS.timeout / 3600}h.`),
      spot: yes().optional().describe('Run on Fargate Spot, default false.'),
      architecture: oneOf(['x86_64', 'arm64']).optional().describe('Processor, default x86_64.'),
      heartbeat: duration()
        .optional()
        .describe(
          `Longest time without a sign of life before a task counts as lost. Default ${TASK_DEFAULTS.heartbeat / 60}m.`,
        ),
    },
    { error: 'a mapping' },
  )
  .describe('Size and limits of a task; its `resources:` override them.');

const app = z
  .strictObject(
    {
      image: image().optional().describe('Image with an entry point of its own.'),
      command: z
        .union([z.string(), texts('words')], { error: 'a command' })
        .optional()
        .describe('Command run in the project.'),
      args: texts('arguments').optional().describe('First arguments.'),
    },
    { error: 'a mapping with image or command' },
  )
  .refine((value) => (value.image === undefined) !== (value.command === undefined), {
    error: 'either image or command',
  });

export const trowelSchema = z
  .strictObject(
    {
      name: z
        .string({ error: 'text' })
        .regex(/^[a-z][a-z0-9-]{0,62}$/, {
          error: 'a name of small letters, digits and -, a letter first, at most 63 characters',
        })
        .optional()
        .describe("Name of the project, its stack, secrets and log groups. Default: made from the folder's name."),
      timezone: z
        .string({ error: 'a time zone' })
        .optional()
        .describe('Time zone of workflows that name none. Default UTC.'),
      params: z
        .union([path(), texts('paths')], { error: 'the path of a YAML file, or a list of paths' })
        .optional()
        .describe('YAML files with session parameters, as for -P.'),
      python: python.optional(),
      apt: z
        .array(
          z
            .string({ error: 'text' })
            .regex(PACKAGE, { error: 'the name of a Debian package, such as ffmpeg or ffmpeg=7:5.1.6-0+deb12u1' }),
          { error: 'a list of Debian packages' },
        )
        .optional()
        .describe('Debian packages that the tasks need. A deploy builds an image with them.'),
      dockerfile: path()
        .optional()
        .describe('Dockerfile of the deployed image. `FROM trowel` in it is the image that `apt` makes.'),
      image: image().optional().describe("Image of all tasks. A task's docker.image overrides it."),
      containers: oneOf(['never', 'auto', 'always'])
        .optional()
        .describe("Whether local runs use a task's docker.image. Default never."),
      task: task.optional(),
      secrets: texts('keys')
        .optional()
        .describe('Keys of secrets that an expression names. A literal ${secret:KEY} needs no entry.'),
      notifications: z
        .strictObject(
          {
            slack: z
              .string({ error: 'secret:KEY' })
              .regex(/^secret:[\w.\-/]+$/, { error: 'secret:KEY, the key of the secret that holds the webhook' })
              .optional()
              .describe("`secret:KEY`: the secret that holds the webhook's address."),
            email: texts('addresses').optional().describe('Addresses.'),
            on: z
              .array(oneOf(['failure', 'recovery', 'sla']), { error: 'a list of failure, recovery, sla' })
              .optional()
              .describe('When to send a message. Default [failure].'),
            links: yes().optional().describe('Whether messages link to the execution and its logs. Default true.'),
          },
          { error: 'a mapping' },
        )
        .optional()
        .describe('Receivers of notify> and of failure messages.'),
      network: z
        .strictObject(
          {
            vpc: z
              .string({ error: VPC })
              // `default-new` is the old name of `own`.
              .regex(/^(?:shared|own|default-new|vpc-[0-9a-z]+)$/, { error: VPC })
              .optional()
              .describe(
                '`shared` by all projects in the account and region (the default), `own` for this project only, or the id of a VPC.',
              ),
            subnets: oneOf(['public', 'private'])
              .optional()
              .describe('Default public: no NAT gateway. `private` makes a VPC of its own, with one.'),
            endpoints: yes().optional().describe('Interface endpoints for AWS services, in a VPC of its own.'),
          },
          { error: 'a mapping' },
        )
        .optional()
        .describe('Where deployed tasks run.'),
      retention: z
        .strictObject(
          {
            logs: days().optional().describe('Days, default 30.'),
            values: days().optional().describe('Days, default 30.'),
            history: days().optional().describe('Days, default 90.'),
          },
          { error: 'a mapping' },
        )
        .optional()
        .describe('How long logs, values and history are kept.'),
      values: z
        .strictObject(
          {
            pickle: yes()
              .optional()
              .describe(
                'Whether objects of any class are stored by pickle. Default false. With true, whoever can write to the history or the bucket can run code in the tasks that read them.',
              ),
          },
          { error: 'a mapping' },
        )
        .optional()
        .describe('How values between tasks are kept.'),
      tags: z
        .record(
          z.string().regex(/^(?!aws:)/i, { error: 'a key that does not begin with aws:' }),
          z.string({ error: 'text' }),
          { error: 'a mapping' },
        )
        .optional()
        .describe('Tags on every resource.'),
      apps: z
        .record(z.string(), app, { error: 'a mapping' })
        .optional()
        .describe('Tasks that task> and compose> may name (not in this release).'),
      deploy: z
        .strictObject(
          {
            exclude: z
              .union([path(), texts('workflows')], { error: 'the name of a workflow, or a list of names' })
              .optional()
              .describe(
                'Workflows that are not deployed: names or paths, such as test.dig. * and ** stand for parts of them.',
              ),
          },
          { error: 'a mapping' },
        )
        .optional()
        .describe('What is deployed. Default: every workflow in the project folder.'),
    },
    { error: 'a mapping' },
  )
  .describe('Settings of a Trowel project. Everything is optional.');

export type TrowelFile = z.infer<typeof trowelSchema>;
