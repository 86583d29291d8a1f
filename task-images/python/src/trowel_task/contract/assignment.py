"""What the host asks for: docs/protocol.md, "Assignment"."""

from __future__ import annotations

import os
import re

from trowel_task import PROTOCOL
from trowel_task.contract.errors import BAD_INPUT, TaskError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

ENV_NAME = re.compile(r"[a-zA-Z_][a-zA-Z_0-9]*")


class Assignment:
    """One task. Attributes are the fields of the message; `raw` is the message."""

    __slots__ = (
        "adapter",
        "builtins",
        "env",
        "frames",
        "keys",
        "layers",
        "merge",
        "operator",
        "params",
        "pickle",
        "python",
        "raw",
        "reports",
        "result",
        "root",
        "run",
        "secret_texts",
        "secret_versions",
        "secrets_map",
        "shares",
        "task",
        "timeout",
        "tries",
        "workdir",
    )

    def __init__(self, raw: dict[str, Any]) -> None:
        """Raises TaskError (Trowel.BadInput) for another version or a field of another type."""
        if not isinstance(raw, dict):
            raise TaskError(BAD_INPUT, "an assignment is a JSON object")
        if raw.get("v") != PROTOCOL:
            raise TaskError(BAD_INPUT, f"this runner knows assignments of version {PROTOCOL}, got {raw.get('v')!r}")
        self.raw = raw
        self.task: str = _of(raw, "task", str, "")
        self.operator: str = _of(raw, "operator", str, "")
        self.params: dict[str, Any] = _of(raw, "params", dict, {})
        self.keys: list[str] = _of(raw, "keys", list, [])
        self.env: dict[str, Any] = _of(raw, "env", dict, {})
        self.secrets_map: dict[str, Any] = _of(raw, "secrets_map", dict, {})
        self.secret_texts: dict[str, Any] | None = _of(raw, "secret_texts", dict, None)
        self.secret_versions: dict[str, str] = _of(raw, "secret_versions", dict, {})
        self.workdir: str = _of(raw, "workdir", str, "")
        self.timeout: float | None = _of(raw, "timeout", (int, float), None)
        self.layers: list[dict[str, Any]] = _of(raw, "layers", list, [])
        self.merge: int | None = _of(raw, "merge", int, None)
        self.shares: list[list[int]] = _of(raw, "shares", list, [])
        self.builtins: dict[str, Any] = _of(raw, "builtins", dict, {})
        self.root: str | None = _of(raw, "root", str, None)
        self.result: str | None = _of(raw, "result", str, None)
        self.frames: list[Any] | None = _of(raw, "frames", list, None)
        self.python: list[str] = words(raw.get("python"))
        self.adapter: str | None = _of(raw, "adapter", str, None)
        self.tries: int = _of(raw, "try", int, 1)
        self.run: str | None = _of(raw, "run", str, None)
        self.reports: str | None = _of(raw, "reports", str, None)
        self.pickle = raw.get("pickle") is True

    def derived(self, **changes: Any) -> Assignment:
        """The assignment of a subtask: the same place, other work."""
        return Assignment({**self.raw, "python": None, "timeout": None, "adapter": None, "reports": None, **changes})

    def roots(self) -> list[str]:
        """The folders of values: this attempt's own, then those of attempts that it continues."""
        attempt = self.builtins.get("attempt") or {}
        more = [root for name in ("resume", "values") for root in attempt.get(name) or ()]
        return [root for root in (self.root, *more) if root]

    def builtin_values(self) -> dict[str, Any]:
        """Built-in variables: `builtins.vars` of the payload (`builtins` itself, if it is a flat mapping)."""
        values = self.builtins.get("vars")
        return values if isinstance(values, dict) else self.builtins


def words(value: Any) -> list[str]:
    """`python:` is a text or a list of words. Raises TaskError for anything else."""
    if value is None or value in ("", []):
        return []
    if isinstance(value, str):
        return [value]
    if isinstance(value, list) and all(isinstance(word, str) for word in value):
        return value
    raise TaskError(BAD_INPUT, f"Invalid python: {value!r}")


def _of(raw: dict[str, Any], key: str, kind: Any, default: Any) -> Any:
    value = raw.get(key)
    if value is None:
        return default
    if not isinstance(value, kind) or isinstance(value, bool):
        raise TaskError(BAD_INPUT, f"assignment: '{key}' has the wrong type ({type(value).__name__})")
    return value


def private(scratch: str, name: str) -> str:
    """A path for a file of the runner's own in a task's folder (the folder itself holds what pip installs)."""
    folder = os.path.join(scratch, ".trowel")
    if not os.path.isdir(folder):
        os.mkdir(folder, 0o700)
    return os.path.join(folder, name)


class Job:
    """What one child process does. `purpose`: `task` (records its result), `subtask` (only reports), `finish` (records `ran`)."""

    def __init__(
        self,
        assignment: Assignment,
        *,
        project: str,
        secrets: dict[str, str],
        began: float,
        scratch: str = "",
        purpose: str = "task",
        ran: dict[str, Any] | None = None,
        debug: dict[str, Any] | None = None,
    ) -> None:
        self.assignment = assignment
        self.project = project
        self.secrets = secrets
        self.scratch = scratch  # a folder of the task's own, named when a process takes the job, made by it, removed by the worker
        self.began = began  # time.monotonic()
        self.purpose = purpose
        self.ran = ran
        self.debug = debug

    def to_json(self) -> dict[str, Any]:
        return {**vars(self), "assignment": self.assignment.raw}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Job:
        return cls(Assignment(data.pop("assignment")), **data)
