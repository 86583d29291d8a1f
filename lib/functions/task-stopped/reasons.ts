/** Turns what ECS says about the end of a container into an error that the waiting state understands. */
import { BESIDE } from '../../contract/deployed-names.ts';
import type { ErrorName } from '../../contract/errors.ts';
import { ERRORS } from '../../contract/errors.ts';
import { noAddress } from '../ecs-errors.ts';

/** The part of an event "ECS Task State Change" that is read here (`detail`). */
export interface StoppedTask {
  readonly taskArn: string;
  readonly lastStatus: string;
  readonly stopCode?: string;
  readonly stoppedReason?: string;
  /** The id of the job, as launch gave it. */
  readonly startedBy?: string;
  /** For the network interface, `details` name the subnet. */
  readonly attachments?: readonly {
    readonly type?: string;
    readonly details?: readonly { readonly name?: string; readonly value?: string }[];
  }[];
  readonly containers?: readonly StoppedContainer[];
  readonly overrides?: {
    readonly containerOverrides?: readonly {
      readonly name?: string;
      readonly environment?: readonly { readonly name?: string; readonly value?: string }[];
    }[];
  };
}

export interface StoppedContainer {
  readonly name?: string;
  readonly exitCode?: number;
  readonly reason?: string;
}

export interface Reason {
  readonly error: ErrorName;
  readonly message: string;
}

/** Exit code for what may pass (EX_TEMPFAIL of sysexits.h), of the same two. */
const TEMPORARY = 75;
/**
 * Exit code for what no further try would change (EX_CONFIG of sysexits.h): of trowel_task/aws/bootstrap.py, and of host/fargate.py before
 * the task begins.
 */
const MISCONFIGURED = 78;
const SIGKILLED = 137;
/** Of `stopCode`. */
const NOT_STARTED = 'TaskFailedToStart';
const MORE_MEMORY = 'raise task.memory in trowel.yml, or resources.memory of this task';

interface Rule {
  /** Of `stopCode`. */
  readonly code?: string;
  /** Matched with the reasons of the task and its containers, joined. */
  readonly text?: RegExp;
  readonly exit?: number;
  readonly error: ErrorName;
  readonly hint: string | ((task: StoppedTask) => string);
}

/** The first rule that matches counts. TaskLost, NoCapacity and Throttled are tried again by every task's state. */
const RULES: readonly Rule[] = [
  {
    text: /OutOfMemory|killed due to memory usage/i,
    error: ERRORS.taskFailed,
    hint: `the container ran out of memory: ${MORE_MEMORY}`,
  },
  { code: 'SpotInterruption', error: ERRORS.taskLost, hint: 'AWS took the Spot container back' },
  { code: 'TerminationNotice', error: ERRORS.taskLost, hint: 'AWS retired the host of the container' },
  {
    text: /can't find the specified secret|marked for deletion|(?:secret|asm).*ResourceNotFoundException/is,
    error: ERRORS.secret,
    hint: 'a secret of the task could not be read: set it with trowel secrets --aws --set KEY; trowel check --aws lists those that are missing',
  },
  {
    text: /free (?:ip )?addresses|InsufficientFreeAddresses|not have enough free/i,
    error: ERRORS.noCapacity,
    hint: (task) => noAddress(subnetsOf(task)),
  },
  { text: /toomanyrequests|rate exceeded|throttl/i, error: ERRORS.throttled, hint: 'a service refused so many calls' },
  {
    text: /CannotPull\w*.*(?:not found|manifest unknown|denied|unauthorized|no basic auth|invalid reference|does not exist|no match(?:ing manifest)? for platform)/is,
    error: ERRORS.badInput,
    hint: 'the image cannot be pulled: check its name, its architecture and who may read it',
  },
  {
    text: /CannotPull/,
    error: ERRORS.noCapacity,
    hint: 'the image could not be pulled: the subnets need a way to the registry (a public address, or endpoints)',
  },
  {
    // A secret that does not exist is asked for by an ARN without its random end, which no policy covers.
    text: /ResourceInitializationError.*GetSecretValue.*secret:trowel\/|ResourceInitializationError.*secret:trowel\/.*(?:AccessDenied|not authorized)/is,
    error: ERRORS.secret,
    hint: ({ containers = [], stoppedReason = '' }) =>
      noSecret([stoppedReason, ...containers.map(({ reason = '' }) => reason)].join(' ')),
  },
  {
    text: /ResourceInitializationError.*(?:AccessDenied|not authorized)/is,
    error: ERRORS.badInput,
    hint: "the task's execution role may not do what starting it needs",
  },
  {
    text: /ResourceInitializationError/,
    error: ERRORS.noCapacity,
    hint: 'the container could not be set up: the subnets need a way to AWS services (a public address, or endpoints)',
  },
  {
    text: /exec format error|CannotStartContainer|CannotCreateContainer|no such file or directory/i,
    error: ERRORS.badInput,
    hint: 'the image cannot run the task: check that it is for the architecture of task.architecture and has python3',
  },
  { text: /capacity/i, error: ERRORS.noCapacity, hint: 'Fargate had no room for the container' },
  { code: NOT_STARTED, error: ERRORS.noCapacity, hint: 'the container did not start' },
  { code: 'UserInitiated', error: ERRORS.taskLost, hint: 'somebody stopped the container' },
  {
    exit: MISCONFIGURED,
    error: ERRORS.badInput,
    hint: "the container could not fetch the project's bundle or its assignment; its log says why",
  },
  {
    exit: TEMPORARY,
    error: ERRORS.taskLost,
    hint: 'the container could not fetch what it needs: a service did not answer, or the address of its assignment had expired before the container began; its log says which',
  },
  {
    exit: SIGKILLED,
    error: ERRORS.taskLost,
    hint: `the container was killed (SIGKILL), perhaps out of memory: ${MORE_MEMORY}`,
  },
];

/** Without a second container, which is stopped when the runner has ended: the order in which ECS names them is not known. */
export function runners({ containers = [] }: StoppedTask): readonly StoppedContainer[] {
  return containers.filter(({ name }) => name !== BESIDE);
}

/** The reason that a state gets if it still waits: it had no answer before the container ended. */
export function reasonOf(task: StoppedTask): Reason {
  const { stopCode, stoppedReason } = task;
  // Either may be why a task has not started.
  const containers = stopCode === NOT_STARTED ? (task.containers ?? []) : runners(task);
  const said = [stoppedReason, ...containers.map(({ reason }) => reason)].filter(
    (text) => text !== undefined && text !== '',
  );
  const exits = containers.flatMap(({ exitCode }) => (exitCode === undefined ? [] : [exitCode]));
  const text = [...new Set(said)].join('; ');
  const rule = RULES.find(
    (one) =>
      (one.code === undefined || one.code === stopCode) &&
      (one.text === undefined || one.text.test(text)) &&
      (one.exit === undefined || exits.includes(one.exit)),
  );
  const code = exits[0] === undefined ? '' : ` (exit code ${exits[0]})`;
  const { hint: given = `the container ended without an answer${code}` } = rule ?? {};
  const hint = typeof given === 'string' ? given : given(task);
  return {
    error: rule?.error ?? ERRORS.taskLost,
    message: text === '' ? capital(hint) : `${capital(hint)}. ECS says: ${text}`,
  };
}

/** `…:secret:trowel/PROJECT/KEY…` in what ECS says. */
function noSecret(said: string): string {
  const key = /secret:trowel\/[^/\s]+\/([\w.+=@/-]+)/.exec(said)?.[1]?.replace(/[.:]+$/, '') ?? 'KEY';
  return `the secret ${key} is not set, or the task's execution role may not read it: set it with trowel secrets --aws --set ${key}; trowel check --aws lists those that are missing`;
}

function subnetsOf({ attachments = [] }: StoppedTask): string[] {
  const details = attachments.flatMap((attachment) => attachment.details ?? []);
  return details.flatMap(({ name, value }) => (name === 'subnetId' && value !== undefined ? [value] : []));
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
