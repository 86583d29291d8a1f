"""Deep merge of layers: mappings merge, anything else replaces (digdag's params flow). lib/contract/merge.ts has the same rule."""

from __future__ import annotations

from trowel_task.contract.wire import MAP, is_mapping, parts_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


def deep_merge(*layers: Mapping[str, Any]) -> dict[str, Any]:
    """Later wins. What is kept in files is not opened: the parts of a mapping become a longer list. No argument is changed."""
    out: dict[str, Any] = {}
    for layer in layers:
        todo: list[tuple[dict[str, Any], Mapping[str, Any]]] = [(out, layer)]
        while todo:
            under, over = todo.pop()
            if MAP in over:
                parts = [*parts_of(dict(under)), *over[MAP]]
                under.clear()
                under.update(over)
                under[MAP] = parts
                continue
            for key, new in over.items():
                old = under.get(key)
                if isinstance(old, dict) and is_mapping(old) and is_mapping(new):
                    under[key] = copy = dict(old)
                    todo.append((copy, new))
                else:
                    under[key] = new
    return out
