"""Reads the values that templates name, before a function renders them: the one that renders templates of subtasks on AWS may read no
value.

The same rules as lib/functions/launch/references.ts.
"""

from __future__ import annotations

import json

from trowel_task.contract import wire
from trowel_task.store import values

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# Bytes; of a larger value a template sees nothing.
_LARGEST = 16 << 20
# Bytes that Lambda takes in a call.
_PAYLOAD = 6 << 20


def with_values(payload: dict[str, Any]) -> dict[str, Any]:
    """The payload with JSON values in place of references, for those variables that a template of its keys or of an `_export` names.
    Raises ValueError where that is more than a call takes."""
    layers = payload["l"]
    text = json.dumps([payload["k"], [layer for layer in layers if isinstance(layer, list) and len(layer) == 1]], ensure_ascii=False)
    attempt = payload["b"].get("attempt") or {}
    roots = [attempt.get("root") or "", *(attempt.get("resume") or ()), *(attempt.get("values") or ())]
    given = {**payload, "l": [_read(layer, text, roots) if isinstance(layer, dict) else layer for layer in layers]}
    size = len(wire.dumps(given))
    if size > _PAYLOAD:
        what = "what its templates name and the tasks before it stored"
        raise ValueError(f"{what} has {size} bytes, and {_PAYLOAD} can be handed over: look large values up in the task")
    return given


def _read(layer: dict[str, Any], text: str, roots: list[str]) -> dict[str, Any]:
    return {name: _resolved(value, roots) if name in text else value for name, value in values.opened(layer, roots).items()}


def _resolved(value: Any, roots: list[str]) -> Any:
    return values.expanded(value, roots) if values.bytes_of(value, "json") <= _LARGEST else value
