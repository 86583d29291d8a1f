"""One child process: starts it, reads its two pipes, ends it with everything it has started."""

from __future__ import annotations

import json
import os
import signal
import sys

from trowel_task.contract import reports
from trowel_task.contract.errors import ended_by
from trowel_task.host.loop import READ
from trowel_task.system import linux
from trowel_task.task import child

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from trowel_task.contract.assignment import Job
    from trowel_task.host.forked import Forked
    from trowel_task.host.logs import LineSplitter
    from trowel_task.host.loop import Loop

# Seconds for which some other process may keep the output open.
LINGER = 0.5
_BLOCK = 65_536


class Process:
    """`say` is called with each text of the output, `report` with each report (contract/reports.py); `done` once, with the outcome
    (child.py), when all output was passed on and nothing of the task runs any more."""

    def __init__(
        self,
        loop: Loop,
        job: Job,
        lines: LineSplitter,
        say: Callable[[str], None],
        report: Callable[[bytes], None],
        done: Callable[[dict[str, Any]], None],
    ) -> None:
        self._loop = loop
        self.job = job
        self._lines = lines
        self._say = say
        self._report = report
        self._done = done
        self._heard = b""
        self._status: int | None = None
        self._outcome: dict[str, Any] | None = None
        self._finished = False
        self.over = False  # child.OVER
        self._paused = False
        self.grouped = (job.debug or {}).get("mode") != "pdb"
        self.pid = 0

    def start(self, started: Forked | None) -> None:
        """Watches a process that has been given the job, or spawns one. Raises OSError if there can be no further process."""
        if started is not None:
            self.pid, self._log, self._control = started.pid, started.log, started.control
        else:
            self._spawn()
        self._loop.watch(self._control, READ, self._read_control)
        self._loop.watch(self._log, READ, self._read_log)

    def _spawn(self) -> None:
        """Where there is no fork: a new interpreter."""
        import subprocess

        os.mkdir(self.job.scratch, 0o700)
        self._log, log = os.pipe()
        self._control, control = os.pipe()
        handover = child.hand_over(self.job)
        program = child.interpreter(self.job)
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
            started.returncode = 0  # the worker reaps it
            self.pid = started.pid
        finally:
            for fd in (log, control, handover, *(() if self.pid else (self._log, self._control))):
                os.close(fd)
        for fd in (self._log, self._control):
            os.set_blocking(fd, False)

    def descriptors(self) -> list[int]:
        return [fd for fd in (self._log, self._control) if fd >= 0]

    # Output

    def pause(self, paused: bool) -> None:
        """Stops reading output and reports while the host does not read ours; the task then waits in its write."""
        if paused == self._paused:
            return
        self._paused = paused
        if self._control >= 0 and paused:
            self._loop.unwatch(self._control)
        elif self._control >= 0:
            self._loop.watch(self._control, READ, self._read_control)
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
            self._loop.close(self._log)
            self._log = -1
            for text in self._lines.close():
                self._say(text)

    def _read_control(self) -> None:
        data = _read(self._control)
        if data:
            self._take_control(data)
        if data == b"" or self._heard.endswith(b"\n" + child.OVER):
            self._close_control()
            if self.over:
                self._take_log()
                if not self._paused:
                    self._close_log()
            self._settle()

    def _take_control(self, data: bytes) -> None:
        """Reports are passed on at once; what else is in the pipe is kept for its last line."""
        self._heard += data
        if reports.LINE not in self._heard:
            return
        *lines, rest = self._heard.split(b"\n")
        others = []
        for line in lines:
            if line.startswith(reports.LINE):
                self._report(line[len(reports.LINE) :])
            else:
                others.append(line)
        self._heard = b"\n".join([*filter(None, others), rest])

    def _left_behind(self) -> bytes:
        try:
            with open(os.path.join(self.job.scratch, ".trowel", child.OUTCOME), "rb") as file:
                return file.read()
        except OSError:
            return b""

    def _close_control(self) -> None:
        if self._control >= 0:
            self._loop.close(self._control)
            self._control = -1
        self._hear()

    def _hear(self) -> None:
        heard = self._heard.removesuffix(child.OVER)
        if self._outcome is None and heard.endswith(b"\n"):
            try:
                outcome = json.loads(heard[:-1].rpartition(b"\n")[2])
                if isinstance(outcome["error"] if outcome["ok"] is False else outcome.get("result", outcome.get("ran")), dict):
                    self._outcome = outcome
                    self.over = heard != self._heard
            except (ValueError, TypeError, KeyError, AttributeError):
                pass  # user code wrote into it

    # The end

    def exited(self, status: int, sweep: Callable[[], None]) -> None:
        """The process has ended and was reaped. `sweep` ends what it left behind outside of its group."""
        self._status = status
        if self._control >= 0:
            while data := _read(self._control):
                self._take_control(data)
            self._close_control()
        if self._outcome is None:
            self._heard = self._left_behind()
            self._hear()
        if not self.over:
            if self.grouped:
                self.signal(signal.SIGKILL)
            sweep()
        self._take_log()
        self._settle()
        if not self._finished:
            self._loop.later(LINGER, self._give_up)

    def _take_log(self) -> None:
        """What has been written by now."""
        while self._log >= 0 and not self._paused and (data := _read(self._log)) is not None:
            if not data:
                self._close_log()
            for text in self._lines.feed(data) if data else []:
                self._say(text)

    def _give_up(self) -> None:
        """Some other process keeps the pipe open. What is in it now is read, and no more."""
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
        if self._finished or self._log >= 0:
            return
        if self.over:
            outcome = self._outcome
        elif self._status is not None:
            outcome = self._outcome or ended_by(self._status).outcome()
        else:
            return
        self._finished = True
        self._done(outcome or {})

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


def sweep(known: set[int]) -> None:
    """Ends children of this process that are not in `known`: daemons of tasks that have ended. Takes up to a quarter of a second."""
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
