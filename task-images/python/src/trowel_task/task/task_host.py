"""What an adapter is given of its task: what the task was given, and how it runs user code, reports and fails."""

from __future__ import annotations

import json
import os
from _thread import allocate_lock

from trowel_task.contract import errors, reports
from trowel_task.contract.assignment import private
from trowel_task.contract.errors import BAD_INPUT, FAILED, TaskError
from trowel_task.contract.masks import Masker
from trowel_task.contract.operators import RUNS
from trowel_task.store.store import Store
from trowel_task.task import shell
from trowel_task.task.params import Params

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any, NoReturn, Protocol

    from trowel_task.contract.assignment import Job
    from trowel_task.task.below import Running
    from trowel_task.task.ran import Ran
    from trowel_task.task.secrets import Secrets

    class Adapter(Protocol):
        """A module of trowel_task/adapters."""

        def run(self, host: TaskHost) -> None:
            """Runs the task. What it has done is in `host.ran` afterwards. Raises TaskError, or what user code raises."""


# Among the runner's files in the task's folder: what a process below has done.
DONE = "done.json"


class TaskHost:
    """One task.

    job         what the worker has asked for; `assignment` is the task's (docs/protocol.md)
    params      the parameters: a dict that reads values by reference when they are used, and notes which were read
    env         the variables of `_env`, secrets filled in. They are not in os.environ yet
    secrets     fills secrets into texts that ask for them
    ran         what the task has done. What is in `ran.store` at the end is stored, if the task succeeds
    scratch     a folder of this task, gone when it ends. What pip installs goes there; `contract.assignment.private` gives names in it
    tries       the number of this try, from 1
    run         the attempt's number here, the execution's name on AWS; empty where nobody said
    argv        further arguments for the task's Python code, in sys.argv[1:]
    """

    def __init__(
        self, job: Job, params: dict[str, Any], env: dict[str, str], secrets: Secrets, ran: Ran, control: int, default: Adapter
    ) -> None:
        """`params`: as they travel. `control`: the pipe to the worker. `default`: runs user code in a process below."""
        self.job = job
        self.assignment = job.assignment
        self.params = Params(params, ran.read, frozenset(job.assignment.builtin_values()) | {"task_name"})
        self.env = env
        self.secrets = secrets
        self.ran = ran
        self.scratch = job.scratch
        self.tries = job.assignment.tries
        self.run = job.assignment.run or ""
        self.argv: list[str] = []
        self._control = control
        self._default = default
        self._lock = allocate_lock()

    @property
    def store(self) -> Store:
        """Writes values of this attempt: `ran.store.update(store.take({…}))` stores what JSON cannot hold, too."""
        return Store(self.assignment.root)

    def python(self, argv: Sequence[str] = (), env: Mapping[str, str] = {}) -> Running:
        """Starts the task's function or `script` in a process below this one. `argv`: arguments behind the command in sys.argv. `env`:
        variables besides those of `_env`. What the code stores is in `ran` when `wait` has said how it ended. Raises TaskError where the
        operator runs no Python."""
        self._must_run("python")
        from trowel_task.task import below

        def act() -> dict[str, Any]:
            os.close(self._control)  # only the adapter reports
            self.argv, self.env = list(argv), {**self.env, **env}
            self._default.run(self)
            return self.ran.encoded(self.store).to_json()

        return below.forked(act, private(self.scratch, DONE), self.ran.take)

    def shell(self, env: Mapping[str, str] = {}) -> Running:
        """Starts the task's script in a process below this one. `env`: variables besides parameters and `_env`. Raises TaskError where the
        operator runs no shell, or the shell cannot be started."""
        self._must_run("shell")
        from trowel_task.task import below

        started = shell.start(self.assignment.operator, self.params.raw(), {**self.env, **env}, self.secrets, self.scratch)
        return below.Running(started.pid, started.failure)

    def report(self, kind: str, data: Any = None, level: str = "info") -> None:
        """Says something while the task works: it is an event at once, and stays known if the task fails or is killed. `kind`: a short
        name (a letter, then letters, digits, `_ . -`). `data`: JSON. `level`: info, warning, error. Secrets are masked; data of more than
        64 KiB is cut. Any thread may report. Raises ValueError or TypeError for anything else, and for NaN and infinities."""
        report = reports.checked(kind, data, level)
        if len(json.dumps(data)) > reports.LIMIT:
            # The worker, which knows more secrets, cuts again: what is left for it is long enough for both.
            report = reports.shortened({**report, "data": Masker(self.job.secrets.values()).value(data)}, times=64)
        line = memoryview(b"\n" + reports.LINE + json.dumps(report, separators=(",", ":")).encode("ascii") + b"\n")
        with self._lock:
            while line:
                line = line[os.write(self._control, line) :]

    def fail(self, message: str, exit: int | None = None) -> NoReturn:
        """Fails the task with Trowel.TaskFailed. `exit`: the exit code of what it ran. Raises TaskError."""
        raise TaskError(FAILED, errors.clean(message), exit=exit)

    def _must_run(self, what: str) -> None:
        operator = self.assignment.operator
        if RUNS.get(operator) != what:
            raise TaskError(BAD_INPUT, f"{operator}> runs no {what}")
