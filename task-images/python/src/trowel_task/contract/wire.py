"""The form of values between tasks (docs/protocol.md, "Values"): JSON in which a key that starts with `trowel:` is Trowel's own mark.
Such a key of the user's data has one colon more, so that no data can look like a mark. lib/language/value-form.ts is the same in
TypeScript.
"""

from __future__ import annotations

import json
import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

# A value in its own file; replaces in a merge, and is replaced.
REF = "trowel:ref"
# A value that JSON, as JavaScript reads it, cannot hold: {"trowel:leaf": KIND, "text": TEXT}.
LEAF = "trowel:leaf"
# A mapping whose base is a list of parts, mappings and references to such, merged in order; its other keys are merged upon them.
MAP = "trowel:map"

_PREFIX = "trowel:"
_SAFE = 2**53
# From here on JavaScript writes a number with an exponent; below it, a whole number with digits that are not exact.
_EXPONENT = 1e21
# JSON text that may have to be changed, or be read in another way.
_MANY_DIGITS = re.compile(rb"[0-9]{16}|e\+")
_MARKED = b'"trowel:'


class Mark(dict):  # type: ignore[type-arg]
    """A mark that this process has made. Data is never of this class, whatever its keys are."""


def is_ref(value: Any) -> bool:
    return isinstance(value, dict) and REF in value


def is_leaf(value: Any) -> bool:
    return isinstance(value, dict) and LEAF in value


def is_mapping(value: Any) -> bool:
    """Whether it merges: an object that is not the mark of a single value."""
    return isinstance(value, dict) and REF not in value and LEAF not in value


def parts_of(mapping: dict[str, Any]) -> list[Any]:
    """A mapping as the parts that make it, in order."""
    if MAP not in mapping:
        return [mapping] if mapping else []
    own = {key: value for key, value in mapping.items() if key != MAP}
    return [*mapping[MAP], own] if own else list(mapping[MAP])


def dumps(value: Any) -> bytes:
    """Compact JSON. A lone surrogate is kept as an escape."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError:
        return json.dumps(value, allow_nan=False, separators=(",", ":")).encode("ascii")


def is_plain(text: bytes) -> bool:
    """Whether JSON text of data can travel unchanged. False in doubt."""
    return _MARKED not in text and not _MANY_DIGITS.search(text)


def holds_marks(text: bytes) -> bool:
    """Whether JSON text that travelled has marks. True in doubt."""
    return _MARKED in text


def encode(value: Any) -> Any:
    """Data of JSON's kinds as it travels; a Mark within stays."""
    out: list[Any] = [value]
    todo: list[tuple[Any, Any]] = [(out, 0)]
    while todo:
        holder, at = todo.pop()
        found = holder[at]
        if isinstance(found, dict):
            if not isinstance(found, Mark):
                holder[at] = copy = {escaped(key): item for key, item in found.items()}
                todo += [(copy, key) for key in copy]
        elif isinstance(found, (list, tuple)):
            holder[at] = items = list(found)
            todo += [(items, i) for i in range(len(items))]
        elif isinstance(found, (int, float)) and abs(found) >= _SAFE and (isinstance(found, int) or abs(found) < _EXPONENT):
            holder[at] = {LEAF: "int", "text": str(int(found))}
    return out[0]


def escaped(key: Any) -> str:
    name: str = key if isinstance(key, str) else json.dumps(key)
    return f"{_PREFIX}:{name[len(_PREFIX) :]}" if name.startswith(_PREFIX) else name


def decode(value: Any, opened: Callable[[dict[str, Any]], Any], read: Callable[[dict[str, Any]], Any]) -> Any:
    """What travelled, as data. `opened` gives what a reference or a mapping of parts is, decoded; `read` what a leaf is."""
    if not isinstance(value, (dict, list)):
        return value
    out: list[Any] = [value]
    todo: list[tuple[Any, Any]] = [(out, 0)]
    while todo:
        holder, at = todo.pop()
        found = holder[at]
        if isinstance(found, list):
            holder[at] = items = list(found)
            todo += [(items, i) for i, item in enumerate(items) if isinstance(item, (dict, list))]
        elif LEAF in found:
            holder[at] = read(found)
        elif REF in found or MAP in found:
            holder[at] = opened(found)
        else:
            holder[at] = copy = {plain_key(key): item for key, item in found.items()}
            todo += [(copy, key) for key, item in copy.items() if isinstance(item, (dict, list))]
    return out[0]


def plain_key(key: str) -> str:
    return _PREFIX + key[len(_PREFIX) + 1 :] if key.startswith(_PREFIX + ":") else key


def depth(value: Any) -> int:
    """How deep lists and objects are nested."""
    level, deepest = [value], 0
    while level := [item for item in level if isinstance(item, (dict, list, tuple))]:
        deepest += 1
        level = [inner for item in level for inner in (item.values() if isinstance(item, dict) else item)]
    return deepest
