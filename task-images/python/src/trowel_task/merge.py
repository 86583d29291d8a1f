"""Deep merge of layers: mappings merge, anything else replaces (digdag's params flow)."""

from __future__ import annotations

from trowel_task import values

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


def deep_merge(*layers: Mapping[str, Any]) -> dict[str, Any]:
    """Later wins. A value by reference replaces and is replaced, unless both sides are mappings (it is read then)."""
    out: dict[str, Any] = {}
    for layer in layers:
        for key, new in layer.items():
            out[key] = _merged(out[key], new) if key in out else new
    return out


def _merged(old: Any, new: Any) -> Any:
    if not isinstance(old, dict) or not isinstance(new, dict):
        return new
    if not values.is_mapping(old) or not values.is_mapping(new):
        return new
    return deep_merge(values.opened(old), values.opened(new))
