"""Values as tasks read them. JSON above 16 KiB, bytes, files and frames are not in messages: they are in files (places.py), and travel as
`{"trowel:ref": SHA256, "kind": …, "bytes": n}` (wire.py; docs/protocol.md, "Values").
"""

from __future__ import annotations

import json

from trowel_task.contract import wire
from trowel_task.contract.merge import deep_merge
from trowel_task.contract.wire import MAP, is_ref
from trowel_task.kinds import kinds
from trowel_task.store import places

TYPE_CHECKING = False
if TYPE_CHECKING:
    import pathlib
    from collections.abc import Sequence
    from typing import Any


def opened(mapping: dict[str, Any], roots: Sequence[str] | None = None) -> dict[str, Any]:
    """The mapping itself: what it has in files is read, one level of it, and merged. As it travels."""
    return deep_merge(*_flat(mapping, roots)) if MAP in mapping else mapping


def _flat(mapping: dict[str, Any], roots: Sequence[str] | None) -> list[dict[str, Any]]:
    """The parts of a mapping, in order; those of parts too."""
    out: list[dict[str, Any]] = []
    todo: list[Any] = wire.parts_of(mapping)[::-1]
    places.fetch([part for part in todo if is_ref(part)], roots)
    while todo:
        part = todo.pop()
        if is_ref(part):
            part = json.loads(places.content(part, roots))
        if MAP in part:
            inner = wire.parts_of(part)
            places.fetch([one for one in inner if is_ref(one)], roots)
            todo += inner[::-1]
        else:
            out.append(part)
    return out


def resolve(value: Any) -> Any:
    """The value as data, with everything that it has in files read back: bytes, pathlib.Path (read-only file), pandas objects."""
    return wire.decode(value, _opened, kinds.read_leaf)


def _opened(mark: dict[str, Any]) -> Any:
    if MAP in mark:
        return resolve(opened(mark))
    kind = mark.get("kind")
    if kind == "json":
        data = places.content(mark)
        found = json.loads(data)
        return resolve(found) if wire.holds_marks(data) else found
    if kind == "bytes":
        return places.content(mark)
    path = places.path_of(mark)
    if kind == "file":
        return _path(path)
    return kinds.load(path, str(kind), mark)


def expanded(value: Any, roots: Sequence[str] | None = None) -> Any:
    """The value as it travels, with JSON in place of what is kept in files."""
    out: list[Any] = [value]
    todo: list[tuple[Any, Any]] = [(out, 0)]
    while todo:
        holder, at = todo.pop()
        found = holder[at]
        while is_ref(found) and found.get("kind") == "json":
            found = json.loads(places.content(found, roots))
        if isinstance(found, list):
            found = list(found)
            todo += [(found, i) for i in range(len(found))]
        elif isinstance(found, dict) and not wire.is_leaf(found) and not is_ref(found):
            found = dict(opened(found, roots))
            todo += [(found, key) for key in found]
        holder[at] = found
    return out[0]


def bytes_of(value: Any, kind: str | None = None) -> int:
    """Bytes that a value has in files, or in those of one kind."""
    total, todo = 0, [value]
    while todo:
        found = todo.pop()
        if is_ref(found):
            total += int(found.get("bytes") or 0) if kind in (None, found.get("kind")) else 0
        elif isinstance(found, (dict, list)):
            todo += found.values() if isinstance(found, dict) else found
    return total


def _path(path: str) -> pathlib.Path:
    import pathlib

    return pathlib.Path(path)
