"""Objects as JSON that gives back the very same ones, types included: what a frame's file says of labels, names, attributes and of
the cells of object columns. Stricter than kinds.py, where a tuple becomes a list for the templates.
"""

from __future__ import annotations

import math
import sys

from trowel_task.contract.wire import LEAF, Mark
from trowel_task.kinds import leaves
from trowel_task.kinds.unkept import Unkept, package

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Leaf = dict[str, Any]


def pack(value: Any, at: str = "") -> Any:
    """Raises Unkept for an object that cannot be kept, with its path below `at`."""
    kind = type(value)
    if value is None or kind is str or kind is bool or kind is int or (kind is float and math.isfinite(value)):
        return value
    if kind is list:
        return [pack(item, f"{at}[{i}]") for i, item in enumerate(value)]
    if kind is tuple:
        return {LEAF: "tuple", "items": [pack(item, f"{at}[{i}]") for i, item in enumerate(value)]}
    if kind is dict:
        if all(type(key) is str and not key.startswith("trowel:") for key in value):
            return {key: pack(item, f"{at}.{key}") for key, item in value.items()}
        return {LEAF: "dict", "items": [[pack(key, f"{at} key {key!r}"), pack(item, f"{at}[{key!r}]")] for key, item in value.items()]}
    if kind is bytes:
        import base64

        return {LEAF: "bytes", "data": base64.b64encode(value).decode("ascii")}
    numpy = sys.modules.get("numpy")
    if numpy is not None and kind is numpy.ndarray and not value.dtype.hasobject:
        return {LEAF: "array", "npy": _npy(value)}
    try:
        leaf = encode(value)
    except Unkept as unkept:
        raise Unkept(value, unkept.what, at + unkept.at, unkept.advised) from None
    if leaf is None:
        raise Unkept(value, "", at)
    return leaf


def unpack(value: Any) -> Any:
    if isinstance(value, list):
        return [unpack(item) for item in value]
    if not isinstance(value, dict):
        return value
    kind = value.get(LEAF)
    if kind is None:
        return {key: unpack(item) for key, item in value.items()}
    if kind == "tuple":
        return tuple(unpack(item) for item in value["items"])
    if kind == "dict":
        return {unpack(key): unpack(item) for key, item in value["items"]}
    if kind == "bytes":
        import base64

        return base64.b64decode(value["data"])
    return _array(value["npy"]) if kind == "array" else decode(value)


def _npy(value: Any) -> str:
    import base64
    import io

    from trowel_task.kinds import arrays

    file = io.BytesIO()
    arrays.write(value, file)
    return base64.b64encode(file.getvalue()).decode("ascii")


def _array(text: str) -> Any:
    import base64
    import io

    from trowel_task.kinds import arrays

    return arrays.read(io.BytesIO(base64.b64decode(text)))


# Leaves of what has other objects inside; the text of a set is a JSON list.


def encode(value: Any) -> Mark | None:
    """As leaves.encode, for these too."""
    kind = type(value)
    made = ENCODERS.get(f"{package(kind)}.{kind.__qualname__}")
    if made is None:
        return leaves.encode(value)
    name, encoder = made
    return Mark({LEAF: name, **encoder(value)})


def decode(leaf: Leaf) -> Any:
    """As leaves.decode, for these too."""
    decoder = DECODERS.get(leaf[LEAF])
    return decoder(leaf) if decoder else leaves.decode(leaf)


def _set(value: Any) -> Leaf:
    import json

    try:
        items = sorted(value)
    except TypeError:
        items = sorted(value, key=repr)
    return {"text": json.dumps([pack(item, "{…}") for item in items], ensure_ascii=False, separators=(",", ":"))}


def _items(leaf: Leaf) -> list[Any]:
    import json

    return [unpack(item) for item in json.loads(leaf["text"])]


def _interval(value: Any) -> Leaf:
    return {"text": str(value), "parts": [pack(value.left, ".left"), pack(value.right, ".right")], "closed": value.closed}


def _read_interval(leaf: Leaf) -> Any:
    import pandas

    return pandas.Interval(*map(unpack, leaf["parts"]), closed=leaf["closed"])


ENCODERS: dict[str, tuple[str, Callable[[Any], Leaf]]] = {
    "builtins.set": ("set", _set),
    "builtins.frozenset": ("frozenset", _set),
    "pandas.Interval": ("interval", _interval),
}

DECODERS: dict[str, Callable[[Leaf], Any]] = {
    "set": lambda leaf: set(_items(leaf)),
    "frozenset": lambda leaf: frozenset(_items(leaf)),
    "interval": _read_interval,
}
