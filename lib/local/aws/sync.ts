/** `.sync`: how to follow a job that an action started, and what the state's result is. Members have capital letters throughout. */
import { isMapping } from '../../asl/json.ts';
import { present } from '../../asl/present.ts';
import type { Json } from '../../asl/types.ts';

type Mapping = { readonly [key: string]: Json };
type Ask = (started: Mapping, args: Mapping) => Mapping;

export interface Sync {
  readonly poll: string;
  readonly ask: Ask;
  /** Path to the job in the answer: the state's result. */
  readonly job: readonly string[];
  readonly status: (job: Mapping) => 'running' | 'succeeded' | 'failed';
  /** Called when the state is aborted. */
  readonly stop?: { readonly action: string; readonly ask: Ask };
}

const member = (value: Json | undefined, ...path: string[]): Json => {
  let at: Json = value ?? null;
  for (const key of path) {
    if (Array.isArray(at)) at = at[Number(key)] ?? null;
    else at = isMapping(at) ? (at[key] ?? null) : null;
  }
  return at;
};

const by =
  (path: readonly string[], succeeded: readonly string[], failed: readonly string[]) =>
  (job: Mapping): 'running' | 'succeeded' | 'failed' => {
    const status = String(member(job, ...path));
    if (succeeded.includes(status)) return 'succeeded';
    return failed.includes(status) ? 'failed' : 'running';
  };

export const SYNC: { readonly [action: string]: Sync } = {
  'athena:startQueryExecution': {
    poll: 'getQueryExecution',
    ask: ({ QueryExecutionId = null }) => ({ QueryExecutionId }),
    job: [],
    status: by(['QueryExecution', 'Status', 'State'], ['SUCCEEDED'], ['FAILED', 'CANCELLED']),
    stop: { action: 'stopQueryExecution', ask: ({ QueryExecutionId = null }) => ({ QueryExecutionId }) },
  },
  'batch:submitJob': {
    poll: 'describeJobs',
    ask: ({ JobId = null }) => ({ Jobs: [JobId] }),
    job: ['Jobs', '0'],
    status: by(['Status'], ['SUCCEEDED'], ['FAILED']),
    stop: { action: 'terminateJob', ask: ({ JobId = null }) => ({ JobId, Reason: 'The workflow was stopped' }) },
  },
  'codebuild:startBuild': {
    poll: 'batchGetBuilds',
    ask: ({ Build = null }) => ({ Ids: [member(Build, 'Id')] }),
    job: ['Builds', '0'],
    status: by(['BuildStatus'], ['SUCCEEDED'], ['FAILED', 'FAULT', 'STOPPED', 'TIMED_OUT']),
    stop: { action: 'stopBuild', ask: ({ Build = null }) => ({ Id: member(Build, 'Id') }) },
  },
  'databrew:startJobRun': {
    poll: 'describeJobRun',
    ask: ({ RunId = null }, { Name = null }) => ({ Name, RunId }),
    job: [],
    status: by(['State'], ['SUCCEEDED'], ['FAILED', 'STOPPED', 'TIMEOUT']),
    stop: { action: 'stopJobRun', ask: ({ RunId = null }, { Name = null }) => ({ Name, RunId }) },
  },
  'ecs:runTask': {
    poll: 'describeTasks',
    ask: ({ Tasks = null }, { Cluster }) => ({
      ...present({ Cluster }),
      Tasks: [member(Tasks, '0', 'TaskArn')],
    }),
    job: ['Tasks', '0'],
    status: (task) => {
      if (task.LastStatus !== 'STOPPED') return 'running';
      const containers = Array.isArray(task.Containers) ? task.Containers : [];
      const clean = containers.length > 0 && containers.every((container) => member(container, 'ExitCode') === 0);
      return clean && task.StopCode !== 'TaskFailedToStart' ? 'succeeded' : 'failed';
    },
    stop: {
      action: 'stopTask',
      ask: ({ Tasks = null }, { Cluster }) => ({
        ...present({ Cluster }),
        Task: member(Tasks, '0', 'TaskArn'),
      }),
    },
  },
  'emr-serverless:startJobRun': {
    poll: 'getJobRun',
    ask: ({ ApplicationId = null, JobRunId = null }) => ({ ApplicationId, JobRunId }),
    job: ['JobRun'],
    status: by(['State'], ['SUCCESS'], ['FAILED', 'CANCELLED']),
    stop: {
      action: 'cancelJobRun',
      ask: ({ ApplicationId = null, JobRunId = null }) => ({ ApplicationId, JobRunId }),
    },
  },
  'glue:startJobRun': {
    poll: 'getJobRun',
    ask: ({ JobRunId = null }, { JobName = null }) => ({ JobName, RunId: JobRunId }),
    job: ['JobRun'],
    status: by(['JobRunState'], ['SUCCEEDED'], ['FAILED', 'STOPPED', 'TIMEOUT', 'ERROR', 'EXPIRED']),
    stop: {
      action: 'batchStopJobRun',
      ask: ({ JobRunId = null }, { JobName = null }) => ({ JobName, JobRunIds: [JobRunId] }),
    },
  },
  ...sageMaker('Processing'),
  ...sageMaker('Training'),
  ...sageMaker('Transform'),
  'states:startExecution': {
    poll: 'describeExecution',
    ask: ({ ExecutionArn = null }) => ({ ExecutionArn }),
    job: [],
    status: by(['Status'], ['SUCCEEDED'], ['FAILED', 'TIMED_OUT', 'ABORTED']),
    stop: { action: 'stopExecution', ask: ({ ExecutionArn = null }) => ({ ExecutionArn }) },
  },
};

/** The caller names its jobs. */
function sageMaker(kind: string): { readonly [action: string]: Sync } {
  const name = `${kind}JobName`;
  const ask: Ask = (_started, args) => ({ [name]: args[name] ?? null });
  return {
    [`sagemaker:create${kind}Job`]: {
      poll: `describe${kind}Job`,
      ask,
      job: [],
      status: by([`${kind}JobStatus`], ['Completed'], ['Failed', 'Stopped']),
      stop: { action: `stop${kind}Job`, ask },
    },
  };
}

/** The job in a poll's answer. */
export function jobOf(sync: Sync, answer: Json): Mapping {
  const job = member(answer, ...sync.job);
  return isMapping(job) ? job : {};
}

/** `failures` in a 200 answer: nothing was started. */
export function notStarted(started: Mapping): string | undefined {
  const { Failures } = started;
  return Array.isArray(Failures) && Failures.length > 0 ? JSON.stringify({ Failures }) : undefined;
}

/** Seconds between polls: soon at first, then every 10. */
export function pollInterval(polls: number): number {
  return Math.min(10, 0.5 * 2 ** polls);
}
