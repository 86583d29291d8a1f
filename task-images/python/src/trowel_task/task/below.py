"""User code in a process below the adapter's: whatever becomes of it, the adapter sees how it ended, and what was reported is known."""

from __future__ import annotations

import json
import os
import signal
import time

from trowel_task.contract import errors
from trowel_task.contract.errors import FAILED, TaskError
from trowel_task.system import linux
from trowel_task.task import ending, streams

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

# Seconds between two looks where the system does not report an end.
_LOOK = 0.005


class Ended:
    """How user code ended. `exit`: its exit code, 128 and the number of a signal. `error`: what the task would fail with; None if it
    ended well. An adapter may decide by either."""

    def __init__(self, exit: int, error: TaskError | None) -> None:
        self.exit = exit
        self.error = error
        if error is not None:
            error.exit = exit


class Running:
    """User code that was started. `pid` is its process, in the task's process group."""

    def __init__(self, pid: int, ended: Callable[[int], TaskError | None]) -> None:
        """`ended` says what the task would fail with, for a status as from os.waitpid."""
        self.pid = pid
        self._error = ended
        self._ended: Ended | None = None

    def wait(self, seconds: float | None = None) -> Ended | None:
        """How it ended; None if it has not within so many seconds."""
        if self._ended is None:
            status = _status(self.pid, seconds)
            if status is not None:
                code = 128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
                self._ended = Ended(code, self._error(status))
        return self._ended


def forked(act: Callable[[], dict[str, Any]], file: str, take: Callable[[dict[str, Any]], None]) -> Running:
    """A fork that does `act`. What that returns, JSON, comes by way of `file` to `take`, here, when the process has ended well."""
    streams.flush()
    parent = os.getpid()
    # A task that is stopped gets its time to clean up, so the adapter's process must outlive the user's. A signal that comes now waits.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    pid = os.fork()
    if pid == 0:
        try:
            linux.bind_to_parent(parent)
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
            _run(act, file)
        finally:
            os._exit(70)
    signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def ended(status: int) -> TaskError | None:
        try:
            with open(file, encoding="ascii") as source:
                outcome = json.load(source)
        except (OSError, ValueError):
            return errors.ended_by(status)
        if not outcome["ok"]:
            return TaskError.from_outcome(outcome)
        take(outcome["done"])
        return None if status == 0 else TaskError(FAILED, f"the task failed when it had done its work: {errors.ended_by(status).message}")

    return Running(pid, ended)


def _run(act: Callable[[], dict[str, Any]], file: str) -> None:
    """In the fork. Never returns."""
    code = 0
    try:
        outcome = {"ok": True, "done": act()}
        ending.wait_for_threads()
    except BaseException as error:
        # What user code gave to sys.exit is behind the error that was made of it.
        origin = error.__context__ if isinstance(error, TaskError) else error
        code = (errors.exit_code(origin) if isinstance(origin, SystemExit) else 1) or 1
        outcome = errors.from_exception(error).outcome()
    streams.flush()
    with open(file, "w", encoding="ascii") as target:
        json.dump(outcome, target)
    ending.run_exit_functions()
    os._exit(code & 0xFF)


def _status(pid: int, seconds: float | None) -> int | None:
    """As from os.waitpid; None if the process has not ended within so many seconds."""
    if seconds is None:
        return os.waitpid(pid, 0)[1]
    watch = getattr(os, "pidfd_open", None)
    if watch is not None:
        import select

        fd = watch(pid)
        try:
            select.select([fd], [], [], seconds)
        finally:
            os.close(fd)
        seconds = 0.0
    until = time.monotonic() + seconds
    while True:
        found, status = os.waitpid(pid, os.WNOHANG)
        if found:
            return status
        if time.monotonic() >= until:
            return None
        time.sleep(_LOOK)
