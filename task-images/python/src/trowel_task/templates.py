"""What a template names is read before it is rendered elsewhere: the function that renders those of subtasks on AWS may read no value.

The same rules as lambdas/launch/references.ts.
"""

from __future__ import annotations

import json

from trowel_task import values

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# Bytes; a larger value is shown to a template as its reference.
_LARGEST = 16 << 20
# Bytes that Lambda takes in a call.
_PAYLOAD = 6 << 20


def with_values(payload: dict[str, Any]) -> dict[str, Any]:
    """The payload with JSON values in place of references, for those variables that a template of its keys or of an `_export` names.
    Raises ValueError where that is more than a call takes."""
    layers = payload["l"]
    text = json.dumps([payload["k"], [layer for layer in layers if isinstance(layer, list) and len(layer) == 1]], ensure_ascii=False)
    given = {**payload, "l": [_read(layer, text) if isinstance(layer, dict) else layer for layer in layers]}
    size = len(values.dumps(given))
    if size > _PAYLOAD:
        what = "what its templates name and the tasks before it stored"
        raise ValueError(f"{what} has {size} bytes, and {_PAYLOAD} can be handed over: look large values up in the task")
    return given


def _read(layer: dict[str, Any], text: str) -> dict[str, Any]:
    return {name: _resolved(value) if name in text else value for name, value in layer.items()}


def _resolved(value: Any) -> Any:
    if isinstance(value, list):
        return [_resolved(item) for item in value]
    if not isinstance(value, dict):
        return value
    if not values.is_ref(value):
        return {key: _resolved(item) for key, item in value.items()}
    if value.get("kind") != "json" or not isinstance(value.get("bytes"), int) or value["bytes"] > _LARGEST:
        return value
    with open(values.path_of(value), "rb") as file:
        return json.load(file)
