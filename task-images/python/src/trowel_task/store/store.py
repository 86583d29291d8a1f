"""Writes what a task stores: JSON as it travels, and files for what is large or no JSON (kinds.py), below `ROOT/values`, named by their
sha256; docs/protocol.md, "Values". Nothing is pickled unless trowel.yml says so (pickles.py).
"""

from __future__ import annotations

import json
import os
import re
from _thread import get_ident

from trowel_task.aws import remote
from trowel_task.contract import wire
from trowel_task.contract.wire import MAP, REF, Mark
from trowel_task.kinds import kinds
from trowel_task.store import places
from trowel_task.system import digests, files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

# Bytes of JSON of one value that stays in a state; a larger one goes to a file.
INLINE = 16_384
# Levels; what is nested deeper goes to a file, for a state machine reads the rest.
_DEEP = 100
# Levels that a value may have: few readers of JSON take more than a thousand.
_DEEPEST = 900


class Store:
    """Writes values of one attempt. Without a root (a task run by hand) every value stays inline, and only JSON is accepted."""

    def __init__(self, root: str | None) -> None:
        self._remote = f"{root}/values" if remote.is_remote(root) else None
        self.has_folder = bool(root)
        if root:
            places.add(root)  # what it writes is found again
        self._folder = remote.spool() if self._remote else os.path.join(os.path.abspath(root), "values") if root else None

    def encode(self, stored: Mapping[str, Any]) -> dict[str, Any]:
        """What a task stored, as it travels. Raises TypeError or ValueError that name the key for what JSON cannot hold."""
        return {wire.escaped(key): self._top(str(key), value) for key, value in stored.items()}

    def take(self, stored: Mapping[str, Any]) -> dict[str, Any]:
        """What `digdag.env.store` is given, at its line: raises as `encode` would, and writes objects that become files. JSON stays as it
        is until the task ends, as with digdag, so that a list may still grow."""
        names = kinds.keys(dict(stored), "store")
        return {name: value if _json(value, name) else self._plain(value, name) for name, value in zip(names, stored.values())}

    def _plain(self, value: Any, key: str) -> Any:
        try:
            return kinds.plain(value, key, self)
        except RecursionError:
            raise _too_deep(key) from None

    def _top(self, key: str, value: Any) -> Any:
        if isinstance(value, Mark):
            return value
        text = _json(value, key)
        if not text:
            value = self._plain(value, key)
            if isinstance(value, Mark):
                return value
        if not text or not wire.is_plain(text):
            try:
                text = wire.dumps(wire.encode(value))
            except RecursionError:
                raise _too_deep(key) from None
            except ValueError as error:
                raise ValueError(f"'{key}' cannot be stored: {error}") from None
            _check_depth(value, text, key)
        if len(text) <= INLINE or not self._folder:
            small = json.loads(text)
            if not self._folder or text.count(b"[") + text.count(b"{") <= _DEEP or wire.depth(small) <= _DEEP:
                return small
        return self.text(text, isinstance(value, dict))

    def text(self, text: bytes, mapping: bool) -> Any:
        """Of JSON as it travels."""
        ref = self.bytes_of(text, "json", {})
        return {MAP: [ref]} if mapping else ref

    def bytes_of(self, data: bytes, kind: str, more: dict[str, Any]) -> Mark:
        if digests.is_worth_a_thread(len(data)):
            return self._large(data, kind, more)
        name = digests.of(data)
        target = self._target(name + places.suffix(kind))
        if not os.path.exists(target):
            temporary = f"{target}.{os.getpid()}.tmp"
            files.write_whole(temporary, data)
            os.replace(temporary, target)
        return self._ref(target, kind, len(data), name, more)

    def _large(self, data: bytes, kind: str, more: dict[str, Any]) -> Mark:
        """Hashes while it writes, since each of them takes most of a second for a gigabyte."""

        def write(path: str) -> str:
            with digests.Threaded(len(data)) as digest:
                files.write_whole(path, data, digest)
                return digest.hexdigest()

        name, target = self._placed(write, lambda name: name + places.suffix(kind))
        return self._ref(target, kind, len(data), name, more)

    def _placed(self, write: Callable[[str], str], path_of: Callable[[str], str]) -> tuple[str, str]:
        """The hash and the place of a file that `write` makes at the path it is given, and whose hash it returns."""
        temporary = self._target(f"{os.getpid()}.{get_ident()}.tmp")
        try:
            name = write(temporary)
            target = self._target(path_of(name))
            os.replace(temporary, target)
        except BaseException:
            if os.path.exists(temporary):
                os.unlink(temporary)
            raise
        return name, target

    def file(self, source: str) -> Mark:
        """A copy, so that later writes to the user's file do not change the value. Keeps the file's name."""
        base = os.path.basename(source)
        name, target = self._placed(lambda path: files.copy(source, path), lambda name: os.path.join(name, base))
        return self._ref(target, "file", os.path.getsize(target), name, {"name": base})

    def written(self, kind: str, write: Callable[[str], dict[str, Any]]) -> Mark:
        """A file that `write` makes at the path it is given; it returns further fields of the reference (`kind` replaces this one)."""
        temporary = self._target(f"{os.getpid()}.{get_ident()}.tmp")
        try:
            more = write(temporary)
            kind = more.pop("kind", kind)
            name, size = files.hash_file(temporary)
            target = self._target(name + places.suffix(kind))
            os.chmod(temporary, 0o644 & files.rights(os.path.dirname(target)))
            os.replace(temporary, target)
        except BaseException:
            if os.path.exists(temporary):
                os.unlink(temporary)
            raise
        return self._ref(target, kind, size, name, more)

    def _ref(self, path: str, kind: str, size: int, sha256: str, more: dict[str, Any]) -> Mark:
        if self._remote:
            remote.upload(path, f"{self._remote}/{os.path.relpath(path, self._folder)}", sha256)
        return Mark({REF: sha256, "kind": kind, "bytes": size, **more})

    def _target(self, name: str) -> str:
        folder = self._folder or ""
        target = os.path.join(folder, name)
        os.makedirs(folder, 0o700, exist_ok=True)
        if os.sep in name:
            os.makedirs(os.path.dirname(target), files.rights(folder), exist_ok=True)
        return target


# Keys that may not have been text: JSON writes numbers, true, false and null as keys too, so two keys may become one.
_OTHER_KEYS = re.compile(rb'"(?:-?[0-9][^"]*|true|false|null)":')


def _json(value: Any, key: str) -> bytes:
    """The JSON of a value, or nothing if its parts must be looked at one by one."""
    try:
        text = wire.dumps(value)
    except RecursionError:
        raise _too_deep(key) from None
    except (TypeError, ValueError):
        return b""
    _check_depth(value, text, key)
    return b"" if _OTHER_KEYS.search(text) else text


def _check_depth(value: Any, text: bytes, key: str) -> None:
    if text.count(b"[") + text.count(b"{") > _DEEPEST and wire.depth(value) > _DEEPEST:
        raise _too_deep(key)


def _too_deep(key: Any) -> ValueError:
    what = f"it is nested too deep: lists and mappings may have {_DEEPEST} levels, with other objects inside half as many"
    return ValueError(f"'{key}' cannot be stored: {what}. Store a flatter value, or a pathlib.Path of a file")
