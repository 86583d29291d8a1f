"""The module `digdag`, for editors and type checkers. It is only there in a task, or in a test (trowel_task.testing)."""

from collections.abc import Callable, Mapping
from typing import Any

class Env:
    params: dict[str, Any]
    """Everything that the task sees: exports, parameters, what earlier tasks stored, its own keys."""
    subtask_config: dict[str, Any]
    export_params: dict[str, Any]
    store_params: dict[str, Any]
    state_params: dict[str, Any]

    def store(self, params: Mapping[str, Any] = ..., **kwds: Any) -> None:
        """Hands values to the tasks that follow: JSON, dates, bytes, pathlib files, frames, arrays. Lost if the task fails."""

    def export(self, params: Mapping[str, Any] = ..., **kwds: Any) -> None:
        """Parameters for the subtasks that this task adds."""

    def add_subtask(self, function: Callable[..., Any] | Mapping[str, Any] | None = ..., **params: Any) -> None:
        """Adds a task that runs when this one has returned."""

    def set_state(self, params: Mapping[str, Any] = ..., **kwds: Any) -> None:
        """Accepted, and of no effect, as in digdag."""

env: Env
