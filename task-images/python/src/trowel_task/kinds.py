"""Which Python object is kept as what: JSON where JSON can hold it, else a value by reference (values.py), else an error."""

from __future__ import annotations

import json
import math
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trowel_task.values import Store


def plain(value: Any, at: str, store: Store, write: bool) -> Any:
    """A JSON value; what is none becomes a reference (when `write`), or raises."""
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, float):
        if math.isfinite(value):
            return value
        raise ValueError(f"'{at}' is {value!r}, which JSON cannot hold: store None or a text")
    if isinstance(value, dict):
        return {_key(k, at): plain(v, f"{at}.{k}", store, write) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v, f"{at}[{i}]", store, write) for i, v in enumerate(value)]
    if type(value).__module__ == "numpy" and hasattr(value, "tolist"):
        return plain(value.tolist(), at, store, write)
    special = _special(value, at, store, write)
    if special is None:
        raise TypeError(f"'{at}' cannot be stored: Object of type {type(value).__name__} is not JSON serializable")
    return special


def _special(value: Any, at: str, store: Store, write: bool) -> dict[str, Any] | None:
    pathlib, pandas = sys.modules.get("pathlib"), sys.modules.get("pandas")
    is_path = pathlib is not None and isinstance(value, pathlib.PurePath)
    is_frame = pandas is not None and isinstance(value, (pandas.DataFrame, pandas.Series))
    if not (is_path or is_frame or isinstance(value, (bytes, bytearray, memoryview))):
        return None
    if not store.has_folder:
        raise TypeError(f"'{at}' cannot be stored: a {type(value).__name__} needs a folder for values")
    if is_path and not os.path.isfile(value):
        what = "is a folder" if os.path.isdir(value) else "does not exist"
        raise TypeError(f"'{at}' cannot be stored: {value} {what}; a Path stores a file")
    if not write:
        return {}
    if is_path:
        return store.file(os.fspath(value))
    return store.frame(value) if is_frame else store.bytes_of(bytes(value), "bytes", {})


def _key(key: Any, at: str) -> str:
    if isinstance(key, str):
        return key
    if key is None or isinstance(key, (bool, int, float)):
        return str(json.dumps(key))
    raise TypeError(f"'{at}' cannot be stored: keys must be str, int, float, bool or None, not {type(key).__name__}")
