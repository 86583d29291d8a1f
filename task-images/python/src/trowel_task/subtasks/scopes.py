"""What a dynamic subtask sees: layers as in a compiled machine's payload (lib/contract/payload.ts, Layer).

`{…}` stored values · `[{…}]` an `_export`, template text · `[{…}, 0]` data that is no store. Near last, deep merge. The runner
evaluates no template itself: what holds one is rendered by the host, in one call for a subtask.
"""

from __future__ import annotations

import json
import re

from trowel_task.contract.merge import deep_merge

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from trowel_task.contract.assignment import Assignment


class Template(str):
    """Text to be evaluated, as opposed to data that looks the same."""

    __slots__ = ()


class Scope:
    """Layers and the `_env` texts of enclosing groups. Immutable."""

    __slots__ = ("env", "layers")

    def __init__(self, layers: list[Any], env: dict[str, Any]) -> None:
        self.layers = layers
        self.env = env

    def inside(self, *layers: Any) -> Scope:
        return Scope([*self.layers, *layers], self.env)

    def level(self, config: Mapping[str, Any]) -> Scope:
        """Within a group or task that has an `_export`."""
        export = config.get("_export")
        return self.inside([export]) if isinstance(export, dict) else self

    def group_env(self, config: Mapping[str, Any]) -> Scope:
        env = config.get("_env")
        return Scope(self.layers, {**self.env, **env}) if isinstance(env, dict) else self

    def visible(self) -> dict[str, Any]:
        """All layers merged; text of exports that needs evaluation is a Template."""
        return deep_merge(*map(_content, self.layers))


def outermost(assignment: Assignment) -> list[Any]:
    """The layers of the task itself. A host that sends no `frames` gives what the task sees without its own keys."""
    if assignment.frames is not None:
        return assignment.frames
    own = {*assignment.keys, *assignment.builtin_values(), "task_name", "_type", "_command"}
    return [[{key: value for key, value in assignment.params.items() if key not in own}, 0]]


def _content(layer: Any) -> dict[str, Any]:
    if isinstance(layer, dict):
        return layer
    content: dict[str, Any] = layer[0]
    if len(layer) == 1:
        marked: dict[str, Any] = mark(content)
        return marked
    error = content.get("error")
    return {**content, "error": failure(error)} if isinstance(error, dict) and "Cause" in error else content


def failure(error: dict[str, Any]) -> dict[str, Any]:
    """`{Error, Cause}` of a state machine → what handlers see as `error`."""
    cause = error.get("Cause")
    try:
        said = json.loads(cause) if isinstance(cause, str) else cause
    except ValueError:
        said = None
    if not isinstance(said, dict):
        return {"message": _cut_message(str(cause)), "stacktrace": "", "task": error.get("Task", "")}
    return {
        "message": said.get("message", said.get("errorMessage", "")),
        "stacktrace": said.get("stacktrace", ""),
        "task": said.get("task", error.get("Task", "")),
    }


# As in lib/contract/failure.ts: JSON that was cut; the message comes first in it.
_CUT = r'\{(?:"errorType":"[^"]*",)?"(?:message|errorMessage)":"((?:[^"\\\x00-\x1f]|\\["\\/bfnrt]|\\u[0-9a-fA-F]{4})+)("?)(?!.*\}\Z)'


def _cut_message(cause: str) -> str:
    found = re.match(_CUT, cause, re.S)
    if found is None:
        return cause
    message: str = json.loads(f'"{found[1]}"')
    return message if found[2] else f"{message.rstrip()} …"


def is_template(text: str) -> bool:
    return "${" in text or "$$" in text


def mark(value: Any) -> Any:
    if isinstance(value, str):
        return Template(value) if is_template(value) else value
    if isinstance(value, dict):
        return {key: mark(item) for key, item in value.items()}
    return [mark(item) for item in value] if isinstance(value, list) else value


def pending(value: Any) -> Any:
    """The part of a value that must be rendered, or None. Other data is left out, so that it is not evaluated."""
    if isinstance(value, Template):
        return str(value)
    if isinstance(value, dict):
        found = {key: part for key, item in value.items() if (part := pending(item)) is not None}
        return found or None
    if isinstance(value, list) and any(pending(item) is not None for item in value):
        return value
    return None
