/** Names that are no operators here: of later releases, of digdag and its plugins, of other tools. What to use instead. */

/** Operators planned for a later release. */
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

/** What to use instead of an operator that is not supported, or undefined. */
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
