"""What one task reports, on its way from the task's process to the host: masked, cut and counted."""

from __future__ import annotations

import json

from trowel_task.contract import reports

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from trowel_task.contract.masks import Masker


class Reports:
    """`send` gets the fields of a message `report`, `say` a line for the task's output."""

    def __init__(self, masker: Masker, send: Callable[[dict[str, Any]], None], say: Callable[[str], None]) -> None:
        self._masker = masker
        self._send = send
        self._say = say
        self._count = 0

    def take(self, text: bytes) -> None:
        """A report as JSON (contract/reports.py). What is none is passed over: user code may have written it."""
        try:
            report = json.loads(text)
            reports.checked(report["kind"], report["data"], report["level"])
            # Before it is cut: of half a secret nobody knows what it is.
            made = reports.shortened({**report, "data": self._masker.value(report["data"])})
        except (ValueError, KeyError, TypeError, RecursionError):
            return
        self._count += 1
        if self._count <= reports.MOST:
            self._send(made)
        elif self._count == reports.MOST + 1:
            self._say(f"trowel: a task may report {reports.MOST:,} times; what it reports from here on is left out\n")

    def close(self) -> None:
        """At the end of the task."""
        if self._count > reports.MOST:
            self._say(f"trowel: {self._count - reports.MOST:,} reports of this task were left out\n")
