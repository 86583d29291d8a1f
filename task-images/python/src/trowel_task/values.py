"""Values that do not travel in messages: JSON above 16 KiB, bytes, files, frames (kinds.py). They lie below `ROOT/values`, named by
their sha256, and travel as `{"trowel:ref": "file:///…", "kind": …, "bytes": n, "sha256": "…"}`; docs/protocol.md, "Values".
Where the root is `s3://bucket/…`, so is the address, and this machine's copy is in a folder of its own (remote.py).

Nothing is pickled unless trowel.yml says so (pickles.py).
"""

from __future__ import annotations

import json
import os
import re
from _thread import get_ident

from trowel_task import digests, kinds, leaves, remote
from trowel_task.leaves import LEAF, Mark

TYPE_CHECKING = False
if TYPE_CHECKING:
    import pathlib
    from collections.abc import Callable, Mapping
    from typing import Any

# Bytes of JSON.
INLINE = 16_384
ENVIRONMENT = 163_840
REF = "trowel:ref"

_SUFFIX = {
    "json": ".json",
    "bytes": ".bin",
    "parquet": ".parquet",
    "table": ".table.json",
    "arrow": ".arrow",
    "npy": ".npy",
    "pickle": ".pickle",
}


def is_ref(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get(REF), str)


def is_mapping(value: dict[str, Any]) -> bool:
    """Whether a dict is, or refers to, a JSON object."""
    if is_ref(value):
        return value.get("kind") == "json" and value.get("type") == "object"
    return not isinstance(value.get(LEAF), str)


def opened(value: dict[str, Any]) -> dict[str, Any]:
    """The mapping itself, one level: references within it stay."""
    if not is_ref(value):
        return value
    with open(path_of(value), "rb") as file:
        out: dict[str, Any] = json.load(file)
    return out


class Store:
    """Writes values of one attempt. Without a root (a task run by hand) every value stays inline, and only JSON is accepted."""

    def __init__(self, root: str | None) -> None:
        self._remote = f"{root}/values" if remote.is_remote(root) else None
        self.has_folder = bool(root)
        self._folder = remote.spool() if self._remote else os.path.join(os.path.abspath(root), "values") if root else None

    def encode(self, stored: Mapping[str, Any]) -> dict[str, Any]:
        """What a task stored, as JSON. Raises TypeError or ValueError that name the key for what JSON cannot hold."""
        return {key: self._top(str(key), value) for key, value in stored.items()}

    def take(self, stored: Mapping[str, Any]) -> dict[str, Any]:
        """What `digdag.env.store` is given, at its line: raises as `encode` would, and writes objects that become files. JSON stays as it
        is until the task ends, as with digdag, so that a list may still grow."""
        names = kinds.keys(dict(stored), "store")
        return {name: value if _json(value) else kinds.plain(value, name, self) for name, value in zip(names, stored.values())}

    def shrink(self, result: dict[str, Any], room: int) -> None:
        """Moves the largest values of `result` out until it has no more than so many bytes."""
        if not self._folder:
            return
        sizes = {key: len(dumps(value)) for key, value in result.items()}
        total = len(dumps(result))
        for key in sorted(sizes, key=lambda k: -sizes[k]):
            if total <= room or sizes[key] <= 400:  # a reference is some 300 bytes itself
                return
            if not is_ref(result[key]):
                result[key] = self.json(result[key])
                total -= sizes[key] - len(dumps(result[key]))

    def _top(self, key: str, value: Any) -> Any:
        if is_ref(value):
            return value
        text = _json(value) or dumps(kinds.plain(value, key, self))
        if len(text) > INLINE and self._folder:
            return self._text(text)
        return json.loads(text)

    def json(self, value: Any) -> dict[str, Any]:
        return self._text(dumps(value))

    def _text(self, text: bytes) -> dict[str, Any]:
        kind = {b"{": "object", b"[": "array", b'"': "string"}.get(text[:1], "number")
        return self.bytes_of(text, "json", {"type": kind})

    def bytes_of(self, data: bytes, kind: str, more: dict[str, Any]) -> Mark:
        name = digests.of(data)
        target = self._target(name + _SUFFIX[kind])
        if not os.path.exists(target):
            temporary = f"{target}.{os.getpid()}.tmp"
            write_whole(temporary, data)
            os.replace(temporary, target)
        return self._ref(target, kind, len(data), name, more)

    def file(self, source: str) -> Mark:
        """A copy, so that later writes to the user's file do not change the value. Keeps the file's name."""
        import shutil

        temporary = self._target(f"{os.getpid()}.{get_ident()}.tmp")
        shutil.copyfile(source, temporary)
        name, size = hash_file(temporary)
        target = self._target(os.path.join(name, os.path.basename(source)))
        os.chmod(temporary, 0o444)
        os.replace(temporary, target)
        return self._ref(target, "file", size, name, {"name": os.path.basename(source)})

    def written(self, kind: str, write: Callable[[str], dict[str, Any]]) -> Mark:
        """A file that `write` makes at the path it is given; it returns further fields of the reference (`kind` replaces this one)."""
        temporary = self._target(f"{os.getpid()}.{get_ident()}.tmp")
        try:
            more = write(temporary)
            kind = more.pop("kind", kind)
            name, size = hash_file(temporary)
            target = self._target(name + _SUFFIX[kind])
            os.replace(temporary, target)
        except BaseException:
            if os.path.exists(temporary):
                os.unlink(temporary)
            raise
        return self._ref(target, kind, size, name, more)

    def _ref(self, path: str, kind: str, size: int, sha256: str, more: dict[str, Any]) -> Mark:
        if self._remote:
            uri = f"{self._remote}/{os.path.relpath(path, self._folder)}"
            remote.upload(path, uri, sha256)
        else:
            from urllib.parse import quote

            uri = "file://" + quote(path)
        return Mark({REF: uri, "kind": kind, "bytes": size, "sha256": sha256, **more})

    def _target(self, name: str) -> str:
        target = os.path.join(self._folder or "", name)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        return target


# Keys that were no text may be a second of the same text: JSON's own of numbers, true, false and null.
_OTHER_KEYS = re.compile(rb'"(?:-?[0-9][^"]*|true|false|null)":')


def _json(value: Any) -> bytes:
    """The JSON of a value of which nothing must be looked at one by one, or nothing."""
    try:
        text = dumps(value)
    except (TypeError, ValueError):
        return b""
    return b"" if _OTHER_KEYS.search(text) else text


def dumps(value: Any) -> bytes:
    """Compact JSON. A lone surrogate is kept as an escape."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError:
        return json.dumps(value, allow_nan=False, separators=(",", ":")).encode("ascii")


def path_of(ref: dict[str, Any]) -> str:
    """Where a value lies on this machine. Raises ValueError for a place this runner cannot read, FileNotFoundError if it is gone."""
    uri: str = ref[REF]
    if remote.is_remote(uri):
        return _fetched(ref, uri)
    if not uri.startswith("file://"):
        raise ValueError(f"cannot read the value at {uri}: only file:// and s3:// are known here")
    from urllib.parse import unquote

    path = unquote(uri[len("file://") :])
    if not os.path.exists(path):
        raise FileNotFoundError(f"a stored value is gone: {path}")
    return path


def _fetched(ref: dict[str, Any], uri: str) -> str:
    sha256, kind = str(ref.get("sha256")), str(ref.get("kind"))
    if len(sha256) != 64 or not all(digit in "0123456789abcdef" for digit in sha256):
        raise ValueError(f"cannot read the value at {uri}: its reference has no sha256")
    name = os.path.join(sha256, os.path.basename(str(ref.get("name")))) if kind == "file" else sha256 + _SUFFIX.get(kind, "")
    path = os.path.join(remote.spool(), name)
    if os.path.exists(path):
        return path
    os.makedirs(os.path.dirname(path), exist_ok=True)
    temporary = f"{path}.{os.getpid()}.{get_ident()}.tmp"
    remote.download(uri, temporary)
    if hash_file(temporary)[0] != sha256:
        os.unlink(temporary)
        raise ValueError(f"the value at {uri} is not the one that was stored: its sha256 is another")
    if kind == "file":
        os.chmod(temporary, 0o444)
    os.replace(temporary, path)
    return path


def resolve(value: Any) -> Any:
    """The value with everything that it holds by reference read back: bytes, pathlib.Path (read-only file), pandas objects."""
    if isinstance(value, list):
        return [resolve(item) for item in value] if any(isinstance(i, (dict, list)) for i in value) else value
    if not isinstance(value, dict):
        return value
    if isinstance(value.get(LEAF), str):
        return leaves.decode(value)
    if not is_ref(value):
        return {key: resolve(item) for key, item in value.items()} if value else value
    path, kind = path_of(value), value.get("kind")
    if kind == "json":
        with open(path, "rb") as file:
            return resolve(json.load(file))
    if kind == "bytes":
        with open(path, "rb") as file:
            return file.read()
    if kind == "file":
        return _path(path)
    if kind in _SUFFIX:
        return kinds.load(path, kind, value)
    raise ValueError(f"cannot read a stored value of kind {kind!r}")


def _path(path: str) -> pathlib.Path:
    import pathlib

    return pathlib.Path(path)


def hash_file(path: str) -> tuple[str, int]:
    """sha256 and size."""
    size = 0
    with open(path, "rb", 0) as file:
        total = digests.new(os.fstat(file.fileno()).st_size)
        while block := file.read(1 << 18):
            total.update(block)
            size += len(block)
    return total.hexdigest(), size


def write_whole(path: str, data: bytes) -> None:
    """Survives the death of any process once it is written; a sync to the disk, against a power cut, would cost more than a small task."""
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    try:
        view = memoryview(data)
        while view:
            view = view[os.write(fd, view) :]
    finally:
        os.close(fd)
