"""Which Python object is kept as what: JSON where JSON can hold it, a leaf (leaves.py) for a small object of Python's, a file for what
is large by nature (bytes, files, frames, arrays), else an error that says what to store in its place. docs/large-values.md has the table.
"""

from __future__ import annotations

import json
import math
import os
import sys

from trowel_task.contract.wire import LEAF, Mark
from trowel_task.kinds import leaves
from trowel_task.kinds.unkept import Unkept, Unreadable, named, package

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Protocol

    Writer = Callable[[Any, str], dict[str, Any]]

    class Store(Protocol):
        """What makes files of values (store.py)."""

        has_folder: bool

        def bytes_of(self, data: bytes, kind: str, more: dict[str, Any]) -> Mark: ...
        def file(self, source: str) -> Mark: ...
        def written(self, kind: str, write: Callable[[str], dict[str, Any]]) -> Mark: ...


# Set by the process of a task whose project says `values: {pickle: true}`.
pickle_allowed = False


def plain(value: Any, at: str, store: Store) -> Any:
    """JSON, with a Mark for each part that JSON cannot hold. Raises TypeError or ValueError that name the key, the type and the way out."""
    return _plain(value, at, store, ())


def _plain(value: Any, at: str, store: Store, around: tuple[int, ...]) -> Any:
    if value is None or isinstance(value, (str, bool, int, Mark)):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return float(value)
    if isinstance(value, (dict, list, tuple)):
        if id(value) in around:
            raise ValueError(f"'{at}' cannot be stored: it is a part of itself")
        around = (*around, id(value))
    if isinstance(value, dict):
        names = keys(value, at)
        return {name: _plain(v, below(at, name), store, around) for name, v in zip(names, value.values())}
    if isinstance(value, (list, tuple)):
        return [_plain(v, f"{at}[{i}]", store, around) for i, v in enumerate(value)]
    numpy = sys.modules.get("numpy")
    if numpy is not None and isinstance(value, numpy.generic) and (value.dtype.kind == "U" or _is_plain(value.dtype)):
        return _plain(value.item(), at, store, around)
    try:
        return _special(value, at, store)
    except Unkept as unkept:
        raise TypeError(_refusal(value, at, unkept)) from None


def _leaf(value: Any) -> Mark | None:
    leaf = leaves.encode(value)
    if leaf is None and (isinstance(value, (set, frozenset)) or package(type(value)) == "pandas"):
        from trowel_task.kinds import exact

        return exact.encode(value)
    return leaf


def read_leaf(mark: dict[str, Any]) -> Any:
    """Raises ValueError for a kind that this version does not know."""
    if mark[LEAF] == "int":
        return int(mark["text"])
    if leaves.knows(mark):
        return leaves.decode(mark)
    from trowel_task.kinds import exact

    return exact.decode(mark)


def _is_plain(dtype: Any) -> bool:
    """Numbers of which Python's own hold every one."""
    return dtype.kind in "biuf" and dtype.itemsize <= 8


def _special(value: Any, at: str, store: Store) -> Mark:
    leaf = _leaf(value)
    if leaf is not None:
        return leaf
    if isinstance(value, (bytes, bytearray, memoryview)):
        _need_folder(value, at, store)
        return store.bytes_of(bytes(value), "bytes", {})
    pathlib = sys.modules.get("pathlib")
    if pathlib is not None and isinstance(value, pathlib.PurePath):
        return store.file(_file(value, at, store))
    found = _writer(value)
    if found is None:
        if not pickle_allowed:
            raise Unkept(value)
        return _pickled(value, at, store)
    kind, write = found
    _need_folder(value, at, store)
    try:
        return store.written(kind, lambda path: write(value, path))
    except ImportError as error:
        raise ImportError(f"'{at}' cannot be stored: a {named(value)} {error}") from None
    except Unkept:
        if not pickle_allowed:
            raise
        return _pickled(value, at, store)


def _pickled(value: Any, at: str, store: Store) -> Mark:
    from trowel_task.kinds import pickles

    _need_folder(value, at, store)
    return store.written("pickle", lambda path: pickles.write(value, path))


def _need_folder(value: Any, at: str, store: Store) -> None:
    if not store.has_folder:
        raise TypeError(f"'{at}' cannot be stored: a {named(value)} needs a folder for values")


def _file(path: Any, at: str, store: Store) -> str:
    _need_folder(path, at, store)
    if os.path.isdir(path):
        archive = "shutil.make_archive(name, 'zip', folder), and store the pathlib.Path of the archive"
        raise TypeError(f"'{at}' cannot be stored: {path} is a folder; a Path stores a file. Make one of it: {archive}")
    if not os.path.isfile(path):
        what = "is no regular file" if os.path.exists(path) else f"does not exist (in {os.getcwd()})"
        raise TypeError(f"'{at}' cannot be stored: {path} {what}; a Path stores a file. A path that is only a name: store str(path)")
    name: str = os.fspath(path)
    return name


def _writer(value: Any) -> tuple[str, Writer] | None:
    """The kind of file that an object becomes, and what writes it."""
    origin = package(type(value))
    library: Any = sys.modules.get(origin)
    if origin == "pandas":
        from trowel_task.kinds import frames

        if frames.keeps(value, library):
            return "parquet", frames.write
    elif origin == "polars" and type(value) in (library.DataFrame, library.Series):
        from trowel_task.kinds import tables

        return "parquet", tables.write_polars
    elif origin == "pyarrow" and type(value) in (library.Table, library.RecordBatch):
        from trowel_task.kinds import tables

        return "parquet", tables.write_arrow
    elif origin == "numpy" and type(value) is library.ndarray:
        from trowel_task.kinds import arrays

        return "npy", arrays.save
    return None


def load(path: str, kind: str, ref: dict[str, Any]) -> Any:
    """An object that `plain` wrote. Raises Unreadable."""
    try:
        return _load(path, kind, ref)
    except ImportError as error:
        what = f"it is a {ref.get('as') or 'pandas.DataFrame'}, for which this task's Python lacks {error.name}"
        raise Unreadable(f"{what}: add a line {error.name} to requirements.txt") from error


def _load(path: str, kind: str, ref: dict[str, Any]) -> Any:
    name = str(ref.get("as") or "")
    if kind == "pickle":
        from trowel_task.kinds import pickles

        return pickles.read(path, ref, pickle_allowed)
    if kind == "npy":
        from trowel_task.kinds import arrays

        return arrays.load(path)
    if name.startswith("polars."):
        from trowel_task.kinds import tables

        return tables.read_polars(path, name)
    if name.startswith("pyarrow."):
        from trowel_task.kinds import tables

        return tables.read_arrow(path, name, kind)
    from trowel_task.kinds import frames

    return frames.read(path, ref)


def _refusal(value: Any, at: str, unkept: Unkept) -> str:
    from trowel_task.kinds import ways

    if not unkept.what and not unkept.at:
        pickle = ". Or let trowel.yml say `values: {pickle: true}`" if ways.can_be_pickled(value) else ""
        return f"'{at}' cannot be stored: it is of type {named(value)}: {ways.out(value)}{pickle}"
    if not unkept.what:
        return f"'{at}' cannot be stored: {unkept.at} in it is of type {named(unkept.value)}: {ways.out(unkept.value)}"
    inside = f" ({named(unkept.value)} at {unkept.at})" if unkept.at else ""
    way = "" if unkept.advised else f": {ways.out(value)}"
    return f"'{at}' cannot be stored: a {named(value)}{inside}, {unkept.what}{way}"


# Keys


def keys(value: dict[Any, Any], at: str) -> list[str]:
    """The keys as JSON has them. Raises for one that JSON cannot have, and for two that would become one."""
    names = [key if isinstance(key, str) else _key(key, at) for key in value]
    if len(set(names)) != len(names):
        seen: dict[str, Any] = {}
        for key, name in zip(value, names):
            if name in seen:
                both = f"the keys {seen[name]!r} and {key!r} are the same text in JSON, {json.dumps(name)}"
                raise ValueError(f"'{at}' cannot be stored: {both}: name them differently")
            seen[name] = key
    return names


def _key(key: Any, at: str) -> str:
    numpy = sys.modules.get("numpy")
    if numpy is not None and isinstance(key, numpy.generic) and _is_plain(key.dtype):
        key = key.item()
    if key is None or isinstance(key, (bool, int)) or (isinstance(key, float) and math.isfinite(key)):
        return str(json.dumps(key))
    way = "make text of them: {str(key): value for key, value in x.items()}"
    raise TypeError(f"'{at}' cannot be stored: its key {key!r} is of type {named(key)}; keys are text or numbers: {way}")


def below(at: str, key: str) -> str:
    return f"{at}.{key}" if key.isidentifier() else f"{at}[{key!r}]"
