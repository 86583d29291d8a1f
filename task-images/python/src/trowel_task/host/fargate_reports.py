"""What the task of a container reports, as objects next to its result: docs/protocol.md, "On AWS"."""

from __future__ import annotations

import json
import time

from trowel_task.aws import remote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from trowel_task.host.loop import Loop

# Bytes. An object of this size is full, and the next one is begun (lib/contract/report.ts).
PART = 1_048_576
# Seconds from one write to the next.
PAUSE = 1.0


class ReportObjects:
    """`place`: how the addresses of the objects begin. The first report is written at once, those that follow within a second."""

    def __init__(self, place: str, loop: Loop) -> None:
        self._place = place
        self._loop = loop
        self._part = 1
        self._written = b""  # what the present part has
        self._waiting: list[bytes] = []
        self._due = False
        self._last = 0.0

    def add(self, report: dict[str, Any]) -> None:
        self._waiting.append(json.dumps({"time": now(), **report}, separators=(",", ":")).encode("ascii") + b"\n")
        if not self._due:
            self._due = True
            self._loop.later(max(0.0, self._last + PAUSE - time.monotonic()), self._write)

    def _write(self) -> None:
        """What is waiting, as far as the service takes it; the rest with the next report, or at the end."""
        self._due = False
        try:
            self._save()
        except Exception:
            pass
        self._last = time.monotonic()

    def _save(self) -> None:
        while self._waiting:
            taken, size = 0, len(self._written)
            while taken < len(self._waiting) and size < PART:
                size += len(self._waiting[taken])
                taken += 1
            data = self._written + b"".join(self._waiting[:taken])
            remote.save(f"{self._place}.{self._part}.jsonl", data)
            del self._waiting[:taken]
            self._written = data
            if len(data) >= PART:
                self._part += 1
                self._written = b""

    def close(self, say: Callable[[str], None]) -> None:
        """Writes what is left, before the task's result is sent."""
        try:
            self._save()
        except Exception as error:
            say(f"{len(self._waiting)} reports could not be written: {type(error).__name__}: {error}")


def now() -> str:
    """ISO 8601 in UTC, with milliseconds."""
    seconds = time.time()
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{int(seconds * 1000) % 1000:03d}Z"
