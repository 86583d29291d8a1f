/** Rendered values of `_parallel` and `_retry`, and how if>, wait>, call>, require> and s3_wait> read their values. */

import { isMapping } from '../asl/json.ts';
import { present } from '../asl/present.ts';
import type { EvaluateResults } from '../contract/payload.ts';
import { holdsPrefix } from '../language/value-form.ts';
import type { Mapping, Retry, Value } from '../language/workflow.ts';
import { bad, expected, good, type Result, sample, toBoolean, toInteger, toMapping, toText } from './coerce.ts';
import { toSeconds } from './duration.ts';
import { commandOf } from './items.ts';

/** if>: `true`, `false`, their text, or empty text (false). */
export function condition(value: Value | undefined): Result<boolean> {
  return toBoolean(value, '_command');
}

/** `_parallel` of a loop: 0 sequential, -1 all at once, N chunks of N. */
export function parallelism(value: Value | undefined): Result<number> {
  if (value === undefined || value === null) return good(0);
  if (isMapping(value)) {
    const limit = toInteger(value.limit, 'limit', 'int');
    if (limit.ok && limit.value < 1) return expected('a limit of 1 or more', value.limit, 'limit');
    return limit;
  }
  if (typeof value !== 'boolean' && typeof value !== 'string') return bad(`Invalid _parallel format: ${sample(value)}`);
  const parallel = toBoolean(value, '_parallel');
  return parallel.ok ? good(parallel.value ? -1 : 0) : parallel;
}

export type RetryValue = Omit<Extract<Retry, { kind: 'literal' }>, 'kind'>;

/** `_retry`: a number of retries, or `{limit, interval, interval_type, max_interval}`; intervals in seconds or as `30s`, `1h`. */
export function retry(value: Value): Result<RetryValue> {
  if (typeof value === 'number' || typeof value === 'string') {
    const limit = toInteger(value, '_retry', 'int');
    return limit.ok ? good({ limit: limit.value, interval: 0, exponential: false }) : limit;
  }
  if (!isMapping(value)) return bad(`Invalid _retry format: ${sample(value)}`);
  const limit = toInteger(value.limit, 'limit', 'int');
  if (!limit.ok) return limit;
  const interval = toSeconds(value.interval ?? 0, 'interval', true);
  if (!interval.ok) return interval;
  const type = toText(value.interval_type ?? 'constant', 'interval_type');
  if (!type.ok) return type;
  const kind = type.value.toLowerCase();
  if (kind !== 'constant' && kind !== 'exponential') return bad(`Invalid interval_type: ${type.value}`);
  const result = { limit: limit.value, interval: interval.value, exponential: kind === 'exponential' };
  if (value.max_interval === undefined || value.max_interval === null) return good(result);
  const max = toSeconds(value.max_interval, 'max_interval', true);
  return max.ok ? good({ ...result, maxInterval: max.value }) : max;
}

/** wait>: seconds, at least 1. */
export function waitSeconds(operator: string, keys: Mapping): Result<number> {
  const seconds = toSeconds(commandOf(operator, keys), '_command', false);
  if (!seconds.ok) return seconds;
  const blocking = toBoolean(keys.blocking ?? false, 'blocking');
  if (!blocking.ok) return blocking;
  if (keys.poll_interval !== undefined && keys.poll_interval !== null) {
    const interval = toSeconds(keys.poll_interval, 'poll_interval', false);
    if (!interval.ok) return interval;
    if (blocking.value) return bad("poll_interval can't be specified with blocking:true");
  }
  return good(Math.max(seconds.value, 1));
}

/** call>: path of the file relative to the project; the value is relative to `_workdir` and may lack `.dig`. */
export function callFile(operator: string, keys: Mapping): Result<string> {
  const command = toText(commandOf(operator, keys), '_command');
  if (!command.ok) return command;
  const workdir = typeof keys._workdir === 'string' ? keys._workdir : '';
  const path: string[] = [];
  for (const part of `${workdir}/${command.value}`.split('/')) {
    if (part === '..' && path.pop() === undefined)
      return bad(`call>: the file must be inside the project: ${command.value}`);
    if (part !== '' && part !== '.' && part !== '..') path.push(part);
  }
  if (command.value.startsWith('/')) return bad(`call>: the file must be inside the project: ${command.value}`);
  const file = path.join('/');
  return good(file.endsWith('.dig') ? file : `${file}.dig`);
}

/**
 * Checks that `call>` can call a file: it must be one of the project's `files`, and not one of those through which the task was reached.
 */
export function calledFile(
  file: string,
  { files, chain }: { readonly files: readonly string[]; readonly chain: readonly string[] },
): Result<string> {
  if (!files.includes(file)) return bad(`call>: file not found: ${file}`);
  if (!chain.includes(file)) return good(file);
  const circle = [...chain.slice(chain.indexOf(file)), file].join(' → ');
  const way = 'Repeat tasks with loop> or for_each>, or start the other workflow with require>';
  return bad(`call>: a workflow cannot call itself: ${circle}. ${way}`);
}

/** require>: which session of the other workflow, by default the own one. */
export function requirement(keys: Mapping, builtins: Mapping): Result<EvaluateResults['require']> {
  const time = toText(keys.session_time ?? builtins.session_time, 'session_time');
  if (!time.ok) return time;
  const millis = Date.parse(time.value);
  if (Number.isNaN(millis)) return expected('an ISO 8601 time', time.value, 'session_time');
  const rerun = toText(keys.rerun_on ?? 'none', 'rerun_on');
  if (!rerun.ok) return rerun;
  if (!['none', 'failed', 'all'].includes(rerun.value))
    return expected("'none', 'failed' or 'all'", rerun.value, 'rerun_on');
  const ignore = toBoolean(keys.ignore_failure ?? false, 'ignore_failure');
  if (!ignore.ok) return ignore;
  const params = toMapping(keys.params ?? {}, 'params');
  if (!params.ok) return params;
  return good({
    session_time: time.value,
    session_unixtime: Math.floor(millis / 1000),
    params: params.value,
    ...present({ encoded: holdsPrefix(params.value) || undefined }),
    rerun_on: rerun.value,
    ignore_failure: ignore.value,
  });
}

/** s3_wait>: `bucket/key`, or the options `bucket` and `key`. */
export function s3Object(operator: string, keys: Mapping): Result<EvaluateResults['s3_wait']> {
  const command = toText(commandOf(operator, keys) ?? '', '_command');
  if (!command.ok) return command;
  const slash = command.value.indexOf('/');
  const bucket = toText(keys.bucket ?? (slash < 0 ? command.value : command.value.slice(0, slash)), 'bucket');
  if (!bucket.ok) return bucket;
  const key = toText(keys.key ?? (slash < 0 ? '' : command.value.slice(slash + 1)), 'key');
  if (!key.ok) return key;
  if (bucket.value === '' || key.value === '')
    return bad(`s3_wait>: expected BUCKET/KEY, got ${sample(command.value)}`);
  const go = toBoolean(keys.continue_on_timeout ?? false, 'continue_on_timeout');
  if (!go.ok) return go;
  const request: Mapping = { Bucket: bucket.value, Key: key.value };
  if (keys.version_id !== undefined && keys.version_id !== null) request.VersionId = String(keys.version_id);
  const client: Mapping = { secrets: ['aws.s3', 'aws'], mounts: isMapping(keys._secrets) ? keys._secrets : {} };
  for (const option of ['region', 'endpoint', 'path_style_access']) {
    if (keys[option] !== undefined && keys[option] !== null) client[option] = keys[option];
  }
  const answer = { request, client, continue_on_timeout: go.value };
  if (keys.timeout === undefined || keys.timeout === null) return good(answer);
  const timeout = toSeconds(keys.timeout, 'timeout', false);
  return timeout.ok ? good({ ...answer, timeout: timeout.value }) : timeout;
}
