"""What a task has done: the common form of all kinds of tasks."""

from __future__ import annotations

from trowel_task.contract import wire

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trowel_task.store.store import Store


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

    def encoded(self, store: Store) -> Ran:
        """Itself, with what it holds as it travels. Raises what `Store.encode` does."""
        self.store, self.export = store.encode(self.store), store.encode(self.export)
        self.subtasks = wire.encode(self.subtasks)
        return self

    def take(self, done: dict[str, Any]) -> None:
        """What a process below has done: `encoded`, as JSON."""
        for name in ("store", "export", "subtasks"):
            getattr(self, name).update(wire.decode(done[name], wire.Mark, wire.Mark))
        self.read.update(done["read"])
        self.module, self.returned = done["module"], done["returned"]

    def to_json(self) -> dict[str, Any]:
        return dict(vars(self))
