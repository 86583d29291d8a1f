"""A child process that waits for its job. The worker makes it ahead of time, since forking and setting up cost more than a small task."""

from __future__ import annotations

import json
import os
import signal

from trowel_task.task import child

TYPE_CHECKING = False
if TYPE_CHECKING:
    from trowel_task.contract.assignment import Job

_HELD = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD}


class Forked:
    """`log` and `control`: the ends of its two pipes that the worker reads."""

    def __init__(self, inherited: list[int], scratch: str) -> None:
        """`inherited`: descriptors which it must not keep open. `scratch`: the folder it makes for its task. Raises OSError if there can be
        no further process."""
        self.scratch = scratch
        opened: list[int] = []
        self.pid = 0
        try:
            for _ in range(3):
                opened += os.pipe()
            job, self._job, self.log, log, self.control, control = opened
            for fd in (self.log, self.control):
                os.set_blocking(fd, False)
            ours = [self._job, self.log, self.control]
            self.pid = self._fork(job, log, control, [*inherited, *ours])
        finally:
            for fd in opened:
                if not self.pid or fd not in ours:
                    os.close(fd)

    def _fork(self, job: int, log: int, control: int, inherited: list[int]) -> int:
        parent = os.getpid()
        before = signal.pthread_sigmask(signal.SIG_BLOCK, _HELD)
        try:
            pid = os.fork()
            if pid == 0:
                try:
                    child.enter(job, log, control, inherited, parent, self.scratch)
                finally:
                    os._exit(70)
            return pid
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def give(self, job: Job) -> bool:
        """False if the process is gone. The process does nothing but read, so a long job does not keep the worker waiting."""
        job.scratch = self.scratch
        data = memoryview(json.dumps(job.to_json(), separators=(",", ":")).encode("ascii"))
        try:
            while data:
                data = data[os.write(self._job, data) :]
        except BrokenPipeError:
            self.close()
            return False
        os.close(self._job)
        return True

    def descriptors(self) -> list[int]:
        return [self._job, self.log, self.control]

    def close(self) -> None:
        """It ends when it sees that no job will come."""
        for fd in self.descriptors():
            os.close(fd)
