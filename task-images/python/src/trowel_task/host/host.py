"""The worker's transport: JSON lines on two descriptors (docs/protocol.md)."""

from __future__ import annotations

import json
import os
import time

from trowel_task.host.loop import READ, WRITE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Protocol

    from trowel_task.host.loop import Loop

    class Listener(Protocol):
        """Who is spoken to: the worker."""

        ended: bool

        def receive(self, line: bytes) -> None: ...
        def throttle(self, paused: bool) -> None: ...
        def stop(self, grace: float) -> None: ...


# Bytes waiting for the host. Above HIGH no more output is read from tasks, until it is below LOW.
HIGH = 1 << 20
LOW = 1 << 18
# Bytes read at a time: a buffer of 128 KiB and more is mapped and unmapped by each read (glibc), which costs more than a small message.
BLOCK = 1 << 16
# Seconds between SIGTERM and SIGKILL when nobody listens any more.
GRACE_WITHOUT_HOST = 1.0


class Host:
    """JSON lines on two descriptors. Reads always, writes when the host reads."""

    def __init__(self, loop: Loop, read: int, write: int) -> None:
        self._loop = loop
        self._read = read
        self._write = write
        self._buffer = b""
        self._out: list[bytes] = []
        self._size = 0
        self._watching = False
        self.full = False
        self.gone = False
        os.set_blocking(write, False)

    def serve(self, worker: Listener) -> None:
        self._worker = worker
        self._loop.watch(self._read, READ, self._readable)

    def send(self, message: dict[str, Any]) -> None:
        if self.gone:
            return
        data = json.dumps(message, separators=(",", ":")).encode("ascii") + b"\n"
        self._out.append(data)
        self._size += len(data)
        if not self._watching:
            self._writable()
        if self._size > HIGH and not self.full:
            self.full = True
            self._worker.throttle(True)

    def _writable(self) -> None:
        try:
            while self._out:
                sent = os.write(self._write, self._out[0])
                self._size -= sent
                if sent < len(self._out[0]):
                    self._out[0] = self._out[0][sent:]
                else:
                    del self._out[0]
        except BlockingIOError:
            pass
        except OSError:
            self._lost()
            return
        if self._watching != bool(self._out):
            self._watching = bool(self._out)
            if self._watching:
                self._loop.watch(self._write, WRITE, self._writable)
            else:
                self._loop.unwatch(self._write)
        if self.full and self._size < LOW:
            self.full = False
            self._worker.throttle(False)

    def _readable(self) -> None:
        try:
            data = os.read(self._read, BLOCK)
        except OSError:
            data = b""
        if not data:
            self._loop.unwatch(self._read)
            if not self._worker.ended:  # else the host said `stop`, and how much time the tasks have
                self._worker.stop(GRACE_WITHOUT_HOST)
            return
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        for line in lines:
            if line.strip():
                self._worker.receive(line)

    def _lost(self) -> None:
        self.gone = True
        self._out.clear()
        self._size = 0
        self._loop.unwatch(self._write)
        if self.full:
            self.full = False
            self._worker.throttle(False)
        self._worker.stop(GRACE_WITHOUT_HOST)

    def drain(self, seconds: float) -> None:
        """What is left to say, when the worker ends."""
        deadline = time.monotonic() + seconds
        while self._out and not self.gone and time.monotonic() < deadline:
            timer = self._loop.later(0.05, lambda: None)
            self._loop.once()
            timer.cancel()
