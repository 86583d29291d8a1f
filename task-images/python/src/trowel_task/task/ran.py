"""What a task has done: the common form of all kinds of tasks."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Ran:
    """`read`: by parameter, the digest of what was read (canonical.py). `module`: the hash of the file that was run."""

    def __init__(self) -> None:
        self.store: dict[str, Any] = {}
        self.export: dict[str, Any] = {}
        self.subtasks: dict[str, Any] = {}
        self.read: dict[str, str] = {}
        self.module: str | None = None
        # The function, if it returned a dict of which nothing was stored: a return value goes nowhere.
        self.returned: str | None = None

    def to_json(self) -> dict[str, Any]:
        return dict(vars(self))
