"""In the process of one task: sets it up, runs user code, reports one outcome line on its control pipe, and ends.

The outcome: {"ok": true, "result": …} (recorded, final), {"ok": true, "ran": …} (subtasks are still to run, or this is one), or
{"ok": false, "error": …}.
"""

from __future__ import annotations

import json
import os
import sys

from trowel_task.contract import errors
from trowel_task.contract.assignment import ENV_NAME, Job, private
from trowel_task.contract.errors import FAILED, TaskError
from trowel_task.contract.masks import Masker
from trowel_task.kinds import kinds
from trowel_task.store import places, results, values
from trowel_task.store.store import Store
from trowel_task.system import linux
from trowel_task.task import adapter, debugging, ending, shell, streams
from trowel_task.task.ran import Ran
from trowel_task.task.secrets import Secrets

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# Among the runner's files in the task's folder: the outcome line where the control pipe is gone.
OUTCOME = "outcome.json"
# Follows an outcome if no output can come any more and nothing runs that the task started. Then nobody has to wait for the end of the
# process, which takes longer than a small task.
OVER = b"over\n"
SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def enter(handover: int, log: int, control: int, inherited: list[int], parent: int, scratch: str) -> None:
    """The forked child, from here to its end. `handover`: where it reads its job. `inherited`: the parent's descriptors. `scratch`: the
    folder to make for its task; what does not depend on the job is done while it waits."""
    import signal
    from importlib.util import find_spec

    signal.set_wakeup_fd(-1)
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    linux.bind_to_parent(parent)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.dup2(log, 1)
    os.dup2(log, 2)
    for fd in {null, log, *inherited} - {0, 1, 2, control, handover}:
        try:
            os.close(fd)
        except OSError:
            pass
    if "numpy.random" in sys.modules:
        sys.modules["numpy.random"].seed()  # preloaded: without this every task would draw the same numbers
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    given = dict(os.environ)
    try:
        fault = None
        os.mkdir(scratch, 0o700)
    except FileExistsError:
        pass  # from a task that put nothing into it
    except OSError as error:
        fault = error.strerror
    os.environ.update(packages(scratch))
    find_spec("trowel_task_reads_folders")  # the import system reads the folder
    data = b""
    while block := os.read(handover, 1 << 16):
        data += block
    if not data:
        os._exit(0)  # the worker has ended, or no task came
    os.close(handover)
    job = Job.from_json(json.loads(data))
    foreground = debugging.on_terminal(job.debug)
    if not foreground:
        os.setsid()
    if fault is not None:
        failed = TaskError(FAILED, f"Cannot make a folder for the task, {scratch}: {fault}")
        report(control, failed.outcome())
        os._exit(1)
    if job.assignment.python:
        other_interpreter(job, control, given)
    run(job, control, terminal=foreground)


def other_interpreter(job: Job, control: int, env: dict[str, str]) -> None:
    """Replaces this process by the interpreter that `python:` names; it continues with `main`. Its job is a file without a name."""
    argv = interpreter(job)
    handover = hand_over(job)
    os.set_inheritable(control, True)
    os.set_inheritable(handover, True)
    try:
        os.chdir(SOURCE)  # `-m` looks in the current folder first
        os.execvpe(argv[0], [*argv, "-m", "trowel_task", "child", str(control), str(handover)], env)
    except OSError as error:
        failed = TaskError(FAILED, f"Cannot run the Python interpreter '{argv[0]}' that `python:` names: {error.strerror}")
        report(control, failed.outcome())
        os._exit(1)


def interpreter(job: Job) -> list[str]:
    """The words of `python:`; a relative path is one of the project's."""
    first, *rest = job.assignment.python or [sys.executable]
    return [os.path.join(job.project, first) if "/" in first else first, *rest]


def hand_over(job: Job) -> int:
    """A descriptor from which `main` reads the job. The file holds secrets, so it has no name any more."""
    path = private(job.scratch, "job.json")
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    os.unlink(path)
    data = memoryview(json.dumps(job.to_json()).encode())
    while data:
        data = data[os.write(fd, data) :]
    os.lseek(fd, 0, os.SEEK_SET)
    return fd


def main(argv: list[str]) -> int:
    """python -m trowel_task child CONTROL JOB: both are descriptors; output is 1 and 2."""
    control, handover = int(argv[0]), int(argv[1])
    with open(handover, "rb") as file:
        job = Job.from_json(json.load(file))
    os.set_inheritable(control, False)
    linux.bind_to_parent(os.getppid())
    os.makedirs(job.scratch, 0o700, exist_ok=True)
    sys.path[:] = [path for path in sys.path if path not in ("", SOURCE)]
    streams.open_streams()
    os.environ.update(packages(job.scratch))
    run(job, control, terminal=False)
    return 0


def run(job: Job, control: int, terminal: bool) -> None:
    """Never returns."""
    me = os.getpid()
    pipe = _identity(control)

    def over() -> bytes:
        return OVER if pipe is not None and _identity(control) == pipe and linux.no_children() else b""

    outcome: dict[str, Any]
    code = 0
    try:
        if terminal:
            debugging.take_terminal()
            streams.open_streams()
        outcome = execute(job, control)
        if os.getpid() == me:
            ending.wait_for_threads()
    except BaseException as error:
        failed = errors.from_exception(error)
        outcome, code = failed.outcome(Masker(job.secrets.values()), times=64), 1
    if os.getpid() == me:  # else a fork that user code made has come back here
        streams.flush()
        if pipe is not None and _identity(control) != pipe:  # user code has closed it, as programs do that become daemons
            control = os.open(private(job.scratch, OUTCOME), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        last = b"" if ending.has_exit_functions() else over()
        report(control, outcome, last)
        if last:
            os._exit(code)
    ending.run_exit_functions()
    if os.getpid() == me and over():
        os.write(control, OVER)
    os._exit(code)


def _identity(fd: int) -> tuple[int, int] | None:
    try:
        found = os.fstat(fd)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def report(control: int, outcome: dict[str, Any], more: bytes = b"") -> None:
    # What user code may have written there is on its own line.
    data = memoryview(b"\n" + json.dumps(outcome).encode("ascii") + b"\n" + more)
    while data:
        data = data[os.write(control, data) :]


def execute(job: Job, control: int) -> dict[str, Any]:
    """Does the job; returns an outcome. Raises TaskError, or whatever user code raises before it is called."""
    assignment = job.assignment
    kinds.pickle_allowed = assignment.pickle
    me = os.getpid()
    if job.purpose == "finish":
        return {"ok": True, "result": results.finish(assignment, job.ran or {}, job.began)}
    from trowel_task.task.task_host import TaskHost

    loaded = adapter.load(assignment.adapter)
    places.look_in(assignment.roots())
    secrets = Secrets(job.secrets, assignment)
    ran = Ran()
    params = values.opened(assignment.params)
    env = environment(assignment.env, secrets)
    try:
        os.chdir(os.path.join(job.project, assignment.workdir))
    except OSError as error:
        raise TaskError(FAILED, f"Cannot enter the folder '{assignment.workdir or job.project}': {error.strerror}") from None
    loaded.run(TaskHost(job, params, env, secrets, ran, control, adapter.load()))
    if os.getpid() != me:  # a fork that user code made: its parent is the task
        return {"ok": True}
    ran.encoded(Store(assignment.root))
    if ran.subtasks or job.purpose == "subtask":
        return {"ok": True, "ran": ran.to_json()}
    return {"ok": True, "result": results.finish(assignment, ran.to_json(), job.began)}


def environment(env: dict[str, Any], secrets: Secrets) -> dict[str, str]:
    """`_env`, with its secrets."""
    out: dict[str, str] = {}
    for name, value in env.items():
        if not ENV_NAME.fullmatch(name):
            raise TaskError(FAILED, f"Invalid _env key name: {name} (config)")
        out[name] = secrets.variable(name, shell.text_of(value))
    return out


def packages(site: str) -> dict[str, str]:
    """What a task installs goes into a separate folder, which it and its subprocesses see. pip's --target works in a virtual
    environment and outside of one (--user does not) and never touches what is installed there (--prefix uninstalls it)."""
    at = next((i for i, path in enumerate(sys.path) if path.endswith(("site-packages", "dist-packages"))), len(sys.path))
    sys.path.insert(at, site)
    inherited = [p for p in os.environ.get("PYTHONPATH", "").split(os.pathsep) if p and os.path.abspath(p) != SOURCE]
    search = [os.path.join(site, "bin")]
    # The folder is the task's own, so that pip need not warn of being root.
    out = {"PIP_TARGET": site, "PIP_ROOT_USER_ACTION": "ignore", "PYTHONPATH": os.pathsep.join([site, *inherited])}
    if sys.prefix != sys.base_prefix:
        out["VIRTUAL_ENV"] = sys.prefix
        search.append(os.path.join(sys.prefix, "bin"))
    out["PATH"] = os.pathsep.join([*search, os.environ.get("PATH", os.defpath)])
    return out
