"""One child process: starts it, reads its two pipes, ends it with everything it has started."""

from __future__ import annotations

import json
import os
import signal
import sys

from trowel_task import child, linux
from trowel_task.errors import FAILED, TaskError, ended_by
from trowel_task.loop import READ

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from trowel_task.assignment import Job
    from trowel_task.logs import LineSplitter
    from trowel_task.loop import Loop

# Seconds that a process which is no longer ours may keep the output open.
LINGER = 0.5
_BLOCK = 65_536
_HELD = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD}


class Process:
    """`say` gets the output, text by text; `done` the outcome (child.py) once, when all output was said and nothing is left running."""

    def __init__(
        self, loop: Loop, job: Job, lines: LineSplitter, say: Callable[[str], None], done: Callable[[dict[str, Any]], None]
    ) -> None:
        self._loop = loop
        self._job = job
        self._lines = lines
        self._say = say
        self._done = done
        self._heard = b""
        self._status: int | None = None
        self._outcome: dict[str, Any] | None = None
        self._finished = False
        self._paused = False
        self.grouped = (job.debug or {}).get("mode") != "pdb"
        self.pid = 0

    def start(self, inherited: list[int], spawn: bool) -> None:
        """Raises OSError if there can be no further process."""
        self._log, log = os.pipe()
        self._control, control = os.pipe()
        for fd in (self._log, self._control):
            os.set_blocking(fd, False)
        try:
            if spawn:
                self.pid = self._spawn(log, control)
            else:
                self.pid = self._fork(log, control, [*inherited, self._log, self._control])
        finally:
            os.close(log)
            os.close(control)
            if not self.pid:
                os.close(self._log)
                os.close(self._control)
        self._loop.watch(self._control, READ, self._read_control)
        self._loop.watch(self._log, READ, self._read_log)

    def _fork(self, log: int, control: int, inherited: list[int]) -> int:
        parent = os.getpid()
        before = signal.pthread_sigmask(signal.SIG_BLOCK, _HELD)
        try:
            pid = os.fork()
            if pid == 0:
                try:
                    child.enter(self._job, log, control, inherited, parent)
                finally:
                    os._exit(70)
            return pid
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def _spawn(self, log: int, control: int) -> int:
        """Where there is no fork: a new interpreter."""
        import subprocess

        os.mkdir(self._job.scratch, 0o700)
        handover = child.hand_over(self._job)
        program = child.interpreter(self._job)
        try:
            started = subprocess.Popen(
                [*program, "-m", "trowel_task", "child", str(control), str(handover)],
                cwd=child.SOURCE,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=(control, handover),
                start_new_session=True,
            )
        finally:
            os.close(handover)
        started.returncode = 0  # it is reaped by the worker
        return started.pid

    def descriptors(self) -> list[int]:
        return [fd for fd in (self._log, self._control) if fd >= 0]

    # Output

    def pause(self, paused: bool) -> None:
        """Stops reading output while the host does not read ours; the task then waits in its write."""
        if paused == self._paused:
            return
        self._paused = paused
        if self._log >= 0 and paused:
            self._loop.unwatch(self._log)
        elif self._log >= 0:
            self._loop.watch(self._log, READ, self._read_log)
            if self._status is not None:
                self._read_log()

    def _read_log(self) -> None:
        data = _read(self._log)
        if data:
            for text in self._lines.feed(data):
                self._say(text)
        elif data is not None:
            self._close_log()
            self._settle()

    def _close_log(self) -> None:
        if self._log >= 0:
            self._loop.unwatch(self._log)
            os.close(self._log)
            self._log = -1
            for text in self._lines.close():
                self._say(text)

    def _read_control(self) -> None:
        while data := _read(self._control):
            self._heard += data
        if data is not None:
            self._close_control()
            self._settle()

    def _left_behind(self) -> bytes:
        try:
            with open(os.path.join(self._job.scratch, ".trowel", child.OUTCOME), "rb") as file:
                return file.read()
        except OSError:
            return b""

    def _close_control(self) -> None:
        if self._control >= 0:
            self._loop.unwatch(self._control)
            os.close(self._control)
            self._control = -1
        self._hear()

    def _hear(self) -> None:
        if self._outcome is None and self._heard.endswith(b"\n"):
            try:
                outcome = json.loads(self._heard[:-1].rpartition(b"\n")[2])
                if isinstance(outcome["error"] if outcome["ok"] is False else outcome.get("result", outcome.get("ran")), dict):
                    self._outcome = outcome
            except (ValueError, TypeError, KeyError, AttributeError):
                pass  # user code wrote into it

    # The end

    def exited(self, status: int, sweep: Callable[[], None]) -> None:
        """The process has ended and was reaped. `sweep` ends what it left behind outside of its group."""
        self._status = status
        if self._control >= 0:
            while data := _read(self._control):
                self._heard += data
            self._close_control()
        if self._outcome is None:
            self._heard = self._left_behind()
            self._hear()
        if not (self._outcome or {}).get("clean"):
            if self.grouped:
                self.signal(signal.SIGKILL)
            sweep()
        if self._log >= 0 and not self._paused:
            while self._log >= 0 and not self._paused and (data := _read(self._log)) is not None:
                if not data:
                    self._close_log()
                for text in self._lines.feed(data) if data else []:
                    self._say(text)
        self._settle()
        if not self._finished:
            self._loop.later(LINGER, self._give_up)

    def _give_up(self) -> None:
        """Some other process holds the pipe. What is in it now is taken."""
        if self._finished:
            return
        if self._paused:
            self._loop.later(LINGER, self._give_up)
            return
        for _ in range(16):
            data = _read(self._log) if self._log >= 0 else b""
            if not data:
                break
            for text in self._lines.feed(data):
                self._say(text)
        self._close_log()
        self._settle()

    def _settle(self) -> None:
        if self._status is None or self._log >= 0 or self._finished:
            return
        self._finished = True
        self._done(self._outcome or {"ok": False, "error": ended_by(self._status).to_json()})

    def signal(self, number: int) -> None:
        """To the whole group."""
        try:
            if not self.grouped:
                if self._status is None:
                    os.kill(self.pid, number)
                return
            os.killpg(self.pid, number)
        except ProcessLookupError:
            if self._status is None:  # it has not made its session yet
                try:
                    os.kill(self.pid, number)
                except ProcessLookupError:
                    pass
        except PermissionError:
            pass  # only zombies are left (macOS)


def _read(fd: int) -> bytes | None:
    """Empty at the end; None if there is nothing now."""
    try:
        return os.read(fd, _BLOCK)
    except BlockingIOError:
        return None
    except OSError:
        return b""


def cannot_start(error: OSError) -> dict[str, Any]:
    failed = TaskError(FAILED, f"Cannot start a process for the task: {error.strerror}")
    return {"ok": False, "error": failed.to_json()}


def sweep(known: set[int]) -> None:
    """Ends children of this process that nobody knows: daemons of tasks that have ended. Up to a quarter of a second."""
    import time

    if sys.platform != "linux":
        return
    for _ in range(100):
        strangers = [pid for pid in linux.children() if pid not in known]
        if not strangers:
            return
        for pid in strangers:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        time.sleep(0.0025)
