"""How the result of a task is made to fit a state of 262,144 bytes: the largest values go to files. lib/contract/fit.ts has the same
rules for what functions store."""

from __future__ import annotations

from trowel_task.contract import wire
from trowel_task.contract.wire import MAP, is_ref
from trowel_task.store import values
from trowel_task.store.store import INLINE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trowel_task.store.store import Store

# Bytes of JSON that all tasks which run at the same time keep in one state.
ENVIRONMENT = 98_304
# Bytes of one reference, with what is around it: a task needs no less room.
REFERENCE = 160
# Bytes: of a mapping that is opened to become one file again, and of one of which the larger values stay in files.
_MOST = 64 << 20
_LARGE = 16 << 20
# Parts of a mapping; more are merged into fewer.
_PARTS = 32


def shrunk(store: Store, result: dict[str, Any], room: int) -> dict[str, Any]:
    """A layer that has no more than `room` bytes: the largest values go to files, and if they are too many, the whole layer into one."""
    total = len(wire.dumps(result))
    if not store.has_folder or total <= min(room, INLINE):
        return result
    out = dict(result)
    sizes = {key: len(wire.dumps(value)) for key, value in result.items() if key != MAP}
    largest = sorted(sizes, key=lambda key: -sizes[key])
    enough = sum(min(size, REFERENCE) + len(key) + 4 for key, size in sizes.items()) <= room
    for key in largest:
        if sizes[key] <= (INLINE if total <= room or not enough else 2 * REFERENCE):
            break
        small = moved(store, out[key])
        total -= sizes[key] - len(wire.dumps(small))
        out[key] = small
    return out if total <= room and len(out.get(MAP, ())) <= _PARTS else moved(store, out, split=True)


def moved(store: Store, value: Any, split: bool = False) -> Any:
    """Moves a value to a file, a mapping that is in files already to a few of them. `split`: its large values get files of their own."""
    if is_ref(value) or wire.is_leaf(value):
        return value
    if not isinstance(value, dict):
        return store.text(wire.dumps(value), mapping=False)
    return {MAP: _compacted(store, wire.parts_of(value), split)}


def _compacted(store: Store, parts: list[Any], split: bool) -> list[Any]:
    """Each part is at least twice as large as the next: so few are read, and none is written often."""
    groups: list[tuple[int, list[Any]]] = []
    for part in parts:
        size, members = part["bytes"] if is_ref(part) else len(wire.dumps(part)), [part]
        while groups and groups[-1][0] < 2 * size and groups[-1][0] + size <= _MOST:
            before, earlier = groups.pop()
            size, members = before + size, [*earlier, *members]
        groups.append((size, members))
    return [members[0] if len(members) == 1 and is_ref(members[0]) else _whole(store, members, split) for _, members in groups]


def _whole(store: Store, members: list[Any], split: bool) -> Any:
    merged = values.opened({MAP: members})
    text = wire.dumps(merged)
    if split and len(text) > _LARGE:
        text = wire.dumps({key: moved(store, value) if len(wire.dumps(value)) > 4096 else value for key, value in merged.items()})
    return store.bytes_of(text, "json", {})
