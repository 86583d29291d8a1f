/**
 * Every operator as data: what it is called with, the options it knows, how it behaves. The checks of keys, the JSON Schema for
 * editors, the compiler's choice of states and the reference in docs/ all read this table.
 */
import type { Value } from './workflow.ts';

export type ValueType = 'text' | 'boolean' | 'integer' | 'number' | 'duration' | 'seconds' | 'list' | 'mapping' | 'any';

export interface OptionSpec {
  /** Any of these; a text that holds `${…}` fits each, for its value is known at run time. */
  readonly type: ValueType | readonly ValueType[];
  /** The only texts allowed. */
  readonly oneOf?: readonly string[];
  readonly default?: Value;
  readonly required?: boolean;
  /** Keys of a mapping; others are reported. */
  readonly keys?: { readonly [key: string]: OptionSpec };
  readonly description: string;
}

export interface OperatorSpec {
  readonly description: string;
  /** `container`: runs as a process (here) or in a container (deployed). `native`: a state or a function of the machine. */
  readonly kind: 'container' | 'native';
  /** The value after `op>:`. */
  readonly command: OptionSpec;
  readonly options: { readonly [key: string]: OptionSpec };
  /** `do`: needs `_do`. `if`: `_do`, `_else_do` or both. */
  readonly body?: 'do' | 'if';
  /** May store parameters itself (not counting what its body stores). */
  readonly stores: boolean;
  /** All keys reach the operator as parameters, so none of them is unused. */
  readonly readsAllKeys: boolean;
  /** Keys in which `${secret:KEY}` is replaced (`command`: the value), besides `_env` of processes. Elsewhere it stays as written. */
  readonly secrets?: readonly string[];
  /** An object of this name in scope holds defaults of the options, as `_export: {http: {timeout: 60}}`. */
  readonly defaults?: string;
}

const text = (description: string, more: Partial<OptionSpec> = {}): OptionSpec => ({
  type: 'text',
  description,
  ...more,
});
const flag = (description: string, byDefault: boolean): OptionSpec => ({
  type: 'boolean',
  default: byDefault,
  description,
});

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
    cpu: { type: ['integer', 'text'], description: '256 to 16384 (1024 is one vCPU).' },
    memory: text('512MB to 120GB.'),
    disk: { type: ['integer', 'text'], description: '21 to 200 GB.' },
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

const LOOP_BODY = {
  kind: 'native',
  body: 'do',
  stores: false,
  readsAllKeys: false,
} as const;

const HTTP_OPTIONS: OperatorSpec['options'] = {
  method: text('HTTP method.', { default: 'GET' }),
  content: { type: 'any', description: 'Body: text, or a mapping or list that is sent as JSON or a form.' },
  content_format: text('How `content` is sent.', { oneOf: ['text', 'json', 'form'] }),
  content_type: text('Content-Type header. Default: that of the format.'),
  store_content: flag('Store the answer as `http.last_content`, up to 64 KiB.', false),
  headers: { type: ['list', 'mapping'], description: 'Mapping, or list of one-key mappings (`- name: value`).' },
  query: { type: ['mapping', 'text'], description: 'Query parameters.' },
  retry: {
    type: 'boolean',
    description: 'Retry on 5xx and lost connections. Default: true for GET, HEAD, OPTIONS and TRACE.',
  },
  timeout: { type: 'seconds', default: 30, description: 'Seconds for the whole request.' },
  follow_redirects: flag('Follow redirects.', true),
  insecure: flag('Do not check the certificate.', false),
  user: text('User for basic authentication.'),
  proxy: {
    type: 'mapping',
    description: 'HTTP proxy.',
    keys: {
      enabled: { type: 'boolean', description: 'Use the proxy.' },
      host: text('Host.'),
      port: { type: ['integer', 'text'], description: 'Port.' },
      tls: flag('Use TLS to the proxy.', false),
      user: text('User.'),
      password: text('Password.'),
    },
  },
};

export const OPERATORS: { readonly [name: string]: OperatorSpec } = {
  echo: {
    description: 'Prints a text.',
    kind: 'native',
    command: { type: 'any', description: 'The text.' },
    options: {},
    stores: false,
    readsAllKeys: false,
  },
  fail: {
    description: 'Makes the workflow fail.',
    kind: 'native',
    command: { type: 'any', description: 'The message.' },
    options: {},
    stores: false,
    readsAllKeys: false,
  },
  notify: {
    description: 'Prints a message and sends it to the `notifications` of trowel.yml.',
    kind: 'native',
    command: text('The message.', { required: true }),
    options: {},
    stores: false,
    readsAllKeys: false,
  },
  slack: {
    description: 'Sends a message to Slack through an incoming webhook.',
    kind: 'native',
    command: {
      type: ['text', 'mapping'],
      required: true,
      description: 'The text, or the whole message as a mapping, such as `{text: …, blocks: […]}`.',
    },
    options: {
      channel: text('Another channel, if the webhook allows it.'),
      url: text('Address of the webhook. Default: the secret slack.webhook.'),
      escape: flag('Escape what `${…}` gives. `false` keeps the markup of values.', true),
      blocks: { type: 'list', description: "Slack's Block Kit blocks, next to the text." },
    },
    stores: false,
    readsAllKeys: false,
    defaults: 'slack',
    secrets: ['url'],
  },
  sh: {
    description: 'Runs a shell script. Parameters are environment variables.',
    kind: 'container',
    command: text('The script.', { required: true }),
    options: {
      shell: {
        type: 'list',
        default: ['/bin/sh'],
        description: 'Command that runs the script, such as ["/bin/bash", "-e"].',
      },
      ...CONTAINER_OPTIONS,
    },
    stores: false,
    readsAllKeys: true,
    defaults: 'sh',
    secrets: ['command'],
  },
  py: {
    description: 'Calls a Python function or method.',
    kind: 'container',
    command: text('module.function or module.Class.method.'),
    options: {
      python: { type: ['text', 'list'], description: 'Python command for this task.' },
      script: text('A script to run instead of a function, with `_type: py` and no command.'),
      ...CONTAINER_OPTIONS,
    },
    stores: true,
    readsAllKeys: true,
    defaults: 'py',
  },
  call: {
    description: "Runs another workflow's tasks here.",
    kind: 'native',
    command: text('File, relative to the folder of this workflow, with or without `.dig`.', { required: true }),
    options: {},
    stores: false,
    readsAllKeys: false,
  },
  require: {
    description: 'Runs another workflow once, as a separate session, and waits for it.',
    kind: 'native',
    command: text('Name of the workflow.', { required: true }),
    options: {
      session_time: text('Session time of the other workflow (ISO 8601). Default: that of this one.'),
      project_id: { type: 'any', description: "digdag's project id; only this project is known here." },
      project_name: text("digdag's project name; only this project is known here."),
      rerun_on: text('Whether to run a session again that has ended.', {
        oneOf: ['none', 'failed', 'all'],
        default: 'none',
      }),
      ignore_failure: flag('Continue if the other workflow fails.', false),
      params: { type: 'mapping', default: {}, description: 'Session parameters of the other workflow.' },
      retry_attempt_name: text('Name of the new attempt.'),
    },
    stores: false,
    readsAllKeys: false,
  },
  loop: {
    ...LOOP_BODY,
    description: 'Runs `_do` a number of times; `i` counts from 0.',
    command: { type: 'integer', description: 'Number of iterations.' },
    options: { count: { type: 'integer', description: 'Number of iterations; overrides the value of loop>.' } },
  },
  for_each: {
    ...LOOP_BODY,
    description: 'Runs `_do` for each combination of values, the first key outermost.',
    command: {
      type: ['mapping', 'text'],
      required: true,
      description: 'Mapping from variable names to lists, or its JSON text.',
    },
    options: {},
  },
  for_range: {
    ...LOOP_BODY,
    description: 'Runs `_do` for each part of a range; `range.from`, `range.to`, `range.index`.',
    command: {
      type: ['mapping', 'text'],
      required: true,
      description: '`from`, `to`, and `step` or `slices`.',
      keys: {
        from: { type: 'integer', required: true, description: 'First value.' },
        to: { type: 'integer', required: true, description: 'End, exclusive.' },
        step: { type: 'integer', description: 'Size of a part.' },
        slices: { type: 'integer', description: 'Number of parts.' },
      },
    },
    options: {},
  },
  if: {
    description: 'Runs `_do` if the value is true, else `_else_do`.',
    kind: 'native',
    command: { type: 'boolean', description: '`true`, `false`, or an expression that gives one of them.' },
    options: {},
    body: 'if',
    stores: false,
    readsAllKeys: false,
  },
  wait: {
    description: 'Waits.',
    kind: 'native',
    command: { type: 'duration', required: true, description: 'Such as 30s, 10m, 1h 30m, 1d.' },
    options: {
      blocking: flag('Accepted for digdag; no effect.', false),
      poll_interval: { type: 'duration', description: 'Accepted for digdag; no effect.' },
    },
    stores: false,
    readsAllKeys: false,
  },
  http: {
    description: 'Makes an HTTP request; stores `http.last_status`.',
    kind: 'native',
    command: text('Address; may contain ${secret:KEY}. Default: the secret http.uri.'),
    options: HTTP_OPTIONS,
    stores: true,
    readsAllKeys: false,
    defaults: 'http',
    secrets: ['command', 'headers', 'query', 'content'],
  },
  http_call: {
    description: 'Makes an HTTP request and runs the workflow (JSON or YAML) in the answer.',
    kind: 'native',
    command: text('Address.'),
    options: {
      ...HTTP_OPTIONS,
      content_type_override: text('Content type of the answer, if the server sends a wrong one.'),
    },
    stores: true,
    readsAllKeys: false,
    defaults: 'http',
    secrets: ['command', 'headers', 'query', 'content'],
  },
  mail: {
    description: 'Sends a mail.',
    kind: 'native',
    command: {
      type: ['text', 'mapping'],
      required: true,
      description: 'File with the text, or `{data: text}`. `${…}` works in both.',
    },
    options: {
      subject: text('Subject.', { required: true }),
      to: { type: ['list', 'text'], required: true, description: 'Addresses.' },
      cc: { type: ['list', 'text'], description: 'Addresses.' },
      bcc: { type: ['list', 'text'], description: 'Addresses.' },
      from: text('Sender.', { required: true }),
      host: text('SMTP server. Default: the secret mail.host; without either, SES when deployed.'),
      port: { type: ['integer', 'text'], description: 'Port of the server.' },
      username: text('User on the server.'),
      tls: flag('Use STARTTLS.', true),
      ssl: flag('Use TLS from the start.', false),
      html: flag('The text is HTML.', false),
      escape: flag('In HTML, escape what `${…}` gives. `false` keeps the markup of values.', true),
      debug: flag('Log the conversation with the server.', false),
      attach_files: {
        type: 'list',
        description:
          'List of files of the project, `{path, content_type?, filename?}`, or stored values, `{value: "${name}", …}`.',
      },
    },
    stores: false,
    readsAllKeys: false,
    defaults: 'mail',
  },
  s3_wait: {
    description: 'Waits until an object is in S3; stores `s3.last_object`.',
    kind: 'native',
    command: text('BUCKET/KEY.'),
    options: {
      bucket: text('Bucket, if the value does not give it.'),
      key: text('Key, if the value does not give it.'),
      region: text('Region.'),
      endpoint: text('Address of an S3-compatible store.'),
      version_id: text('Version of the object.'),
      path_style_access: flag('Put the bucket into the path and not into the host name.', false),
      timeout: { type: 'duration', description: 'Longest time to wait.' },
      continue_on_timeout: flag('Continue after the timeout instead of failing.', false),
    },
    stores: true,
    readsAllKeys: false,
    defaults: 's3',
  },
  aws: {
    description: 'Calls any AWS service (a Step Functions integration); stores the answer as `aws.last_result`.',
    kind: 'native',
    command: text(
      'service:action, such as s3:listObjectsV2. With .sync it waits for the end: athena:startQueryExecution.sync.',
      {
        required: true,
      },
    ),
    options: {
      arguments: { type: ['mapping', 'text'], default: {}, description: "The request, with AWS's names (PascalCase)." },
      store_result: flag('Store the answer.', true),
    },
    stores: true,
    readsAllKeys: false,
  },
  lambda: {
    description: 'Invokes a Lambda function; stores its answer as `lambda.last_result`.',
    kind: 'native',
    command: text('Name or ARN of the function.', { required: true }),
    options: {
      payload: { type: 'any', default: {}, description: 'Input of the function.' },
      qualifier: text('Version or alias.'),
      invocation_type: text('`Event` does not wait for the function.', {
        oneOf: ['RequestResponse', 'Event'],
        default: 'RequestResponse',
      }),
      store_result: flag('Store the answer.', true),
    },
    stores: true,
    readsAllKeys: false,
  },
};

/** Known, and part of a later release. */
export const LATER_OPERATORS: { readonly [name: string]: string } = {
  task: 'Until then, run the program with sh> and name the image in `docker: {image: …}`.',
  compose: 'Until then, write the composed task as tasks and groups, with call> for common parts.',
  function: 'Until then, call the function with py>.',
};

/** Operators of digdag and of its service that Trowel does not have, and what to use instead. A final `*` stands for any ending. */
export const UNSUPPORTED_OPERATORS: { readonly [name: string]: string } = {
  'td*':
    'Use py> with pytd (key by `_env: {TD_API_KEY: "${secret:td.apikey}"}`), or aws>: athena:startQueryExecution.sync.',
  'bq*': 'Use py> with the google-cloud-bigquery package.',
  gcs_wait: 'Use py> with the google-cloud-storage package and `_retry` with an interval; for S3 there is s3_wait>.',
  emr: 'Use aws>: elasticmapreduce:addStep.sync (or elasticmapreduce:createCluster.sync).',
  'redshift*': 'Use aws>: redshiftdata:executeStatement, or py> with the redshift-connector package.',
  embulk: 'Use sh> in an image with embulk: `docker: {image: …}`.',
  rb: 'Use py>, or sh> in an image with Ruby: `docker: {image: "ruby:3.3"}`.',
  param_set: 'Use digdag.env.store in py> for later tasks, aws>: ssm:putParameter for other sessions.',
  param_get: 'Use ${…} for what an earlier task stored, aws>: ssm:getParameter for what another session left.',
  ipynb: 'Use py> with the papermill package.',
  nop: 'Use echo>.',
  pg: 'Use py> with the psycopg package (password by `_env: {PGPASSWORD: "${secret:pg.password}"}`).',
};

/**
 * Operators of the public plugins of digdag (its page of community contributions, and their sources), and what to use instead. Names
 * with a dot are families: `ecs_task` stands for `ecs_task.py>` too.
 */
export const PLUGIN_OPERATORS: { readonly [name: string]: string } = {
  ecs_task:
    'Use py> or sh>: deployed, each runs in its own container; `resources:` sets its size, `docker: {image: …}` its image.',
  ecs_run: 'Use py> or sh>, which run in containers of their own when deployed, or aws>: ecs:runTask.sync.',
  ecs_register:
    'Leave it out: task definitions are made by the deploy. For one of another kind: aws>: ecs:registerTaskDefinition.',
  'aws.ecs': 'Use py> or sh>, which run in containers of their own when deployed, or aws>: ecs:runTask.sync.',
  'aws.appconfig': 'Use py> with the boto3 package (its client appconfigdata) and digdag.env.store.',
  athena: 'Use aws>: athena:startQueryExecution.sync.',
  emr_fleet: 'Use aws>: elasticmapreduce:createCluster.sync.',
  glue: 'Use aws>: glue:startJobRun.sync, or aws>: glue:startCrawler.',
  cost_explorer: 'Use aws>: costexplorer:getCostAndUsage.',
  s3_touch: 'Use aws>: s3:putObject.',
  livy: 'Use py> with the requests package, or http>.',
  mysql: 'Use py> with the PyMySQL package (password by `_env: {MYSQL_PASSWORD: "${secret:mysql.password}"}`).',
  mssql: 'Use py> with the pymssql package (password by `_env: {MSSQL_PASSWORD: "${secret:mssql.password}"}`).',
  myjdbc: 'Use py> with the Python package of the database (password by `_env`).',
  snow: 'Use py> with the snowflake-connector-python package (password by `_env`).',
  pg_lock: 'Use `_parallel: {limit: N}`, or py> with the psycopg package.',
  pg_unlock: 'Use `_parallel: {limit: N}`, or py> with the psycopg package.',
  ssh: 'Use py> with the paramiko package, or sh>: ssh (key by `_env: {KEY: "${secret:ssh.key}"}`).',
  ssh_result: 'Use py> with the paramiko package and digdag.env.store.',
  sh_result: 'Use py> with subprocess and digdag.env.store.',
  param_store: 'Use digdag.env.store in py>.',
  param_eval: 'Write the expression where it is used, or use digdag.env.store in py>.',
  param_reset: 'Use digdag.env.store in py> to store other values.',
  bq_wait: 'Use py> with the google-cloud-bigquery package and `_retry` with an interval.',
  dfs_wait: 'Use py> that looks for the file, and `_retry` with an interval.',
  blob_wait: 'Use py> with the azure-storage-blob package and `_retry` with an interval.',
  storage_queue_wait: 'Use py> with the azure-storage-queue package and `_retry` with an interval.',
  gke: 'Use py> with the kubernetes package, or sh>: kubectl in an image that has it: `docker: {image: …}`.',
  store_gke_config: 'Use py> with the kubernetes package.',
  k8s_job: 'Use py> or sh> with `docker: {image: …}`: deployed, each runs in its own container.',
  retz_run: 'Use py> or sh> with `docker: {image: …}`: deployed, each runs in its own container.',
  digdag_start: 'Use require>.',
  datadog_event: 'Use http>, or py> with the datadog package.',
  sentry: 'Use py> with the sentry-sdk package.',
  fluent: 'Use py> with the fluent-logger package.',
  hangouts: 'Use http> with the address of the webhook as a secret.',
};

/** Words of other tools, for "did you mean". */
export const SYNONYMS: { readonly [name: string]: string } = {
  bash: 'sh',
  shell: 'sh',
  exec: 'sh',
  command: 'sh',
  script: 'sh',
  run: 'sh',
  python: 'py',
  python3: 'py',
  print: 'echo',
  log: 'echo',
  sleep: 'wait',
  email: 'mail',
  raise: 'fail',
  error: 'fail',
  for: 'for_each',
  foreach: 'for_each',
  each: 'for_each',
  range: 'for_range',
  repeat: 'loop',
  when: 'if',
  include: 'call',
  curl: 'http',
  request: 'http',
};

/** The way out for an operator that is not supported, or undefined. */
export function replacementOf(name: string): string | undefined {
  const exact = lookUp(UNSUPPORTED_OPERATORS, name);
  if (exact !== undefined) return exact;
  const [first = '', second = ''] = name.split('.');
  const plugin = lookUp(PLUGIN_OPERATORS, `${first}.${second}`) ?? lookUp(PLUGIN_OPERATORS, first);
  if (plugin !== undefined) return plugin;
  for (const [pattern, text] of Object.entries(UNSUPPORTED_OPERATORS)) {
    if (pattern.endsWith('*') && new RegExp(`^${pattern.slice(0, -1)}(?:_|$)`).test(name)) return text;
  }
  return undefined;
}

/** The entry of a table by a name that a user wrote: never one of Object's own, such as `constructor`. */
export function lookUp<T>(table: { readonly [name: string]: T }, name: string): T | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined;
}

export function operatorSpec(name: string): OperatorSpec | undefined {
  return lookUp(OPERATORS, name);
}
