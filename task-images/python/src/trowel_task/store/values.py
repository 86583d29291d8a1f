"""Values that do not travel in messages: JSON above 16 KiB, bytes, files, frames (kinds.py). They lie below `ROOT/values`, named by
their sha256, and travel as `{"trowel:ref": SHA256, "kind": …, "bytes": n}` (wire.py; docs/protocol.md, "Values"). They are looked for
below the attempt's own root and those that it goes on from, and nowhere else.
Where a root is `s3://bucket/…`, this machine's copy is in a folder of its own (remote.py).

Nothing is pickled unless trowel.yml says so (pickles.py).
"""

from __future__ import annotations

import json
import os
import re
from _thread import get_ident

from trowel_task.aws import remote
from trowel_task.contract import wire
from trowel_task.contract.merge import deep_merge
from trowel_task.contract.wire import MAP, REF, Mark, is_ref
from trowel_task.kinds import kinds
from trowel_task.system import digests

TYPE_CHECKING = False
if TYPE_CHECKING:
    import io
    import pathlib
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Any

# Bytes of JSON: of one value, and of all that tasks which run at the same time keep in one state, which takes 262,144.
INLINE = 16_384
ENVIRONMENT = 98_304
# Bytes of one reference, with what is around it: a task needs no less room.
REFERENCE = 160
# Levels; what is nested deeper goes to a file, for a state machine reads the rest.
_DEEP = 100
# Levels that a value may have: few readers of JSON take more than a thousand.
_DEEPEST = 900
# Bytes: of a mapping that is opened to become one file again, and of one of which the larger values stay in files.
_MOST = 64 << 20
_LARGE = 16 << 20
# Of a mapping: more are made fewer.
_PARTS = 32

_SUFFIX = {"json": ".json", "bytes": ".bin", "table": ".table.json"}

_roots: list[str] = []


def look_in(roots: Iterable[str]) -> None:
    """Below which roots this process finds values, the attempt's own first."""
    _roots[:] = roots


def opened(mapping: dict[str, Any], roots: Sequence[str] | None = None) -> dict[str, Any]:
    """The mapping itself: what it has in files is read, one level of it, and merged. As it travels."""
    return deep_merge(*_flat(mapping, roots)) if MAP in mapping else mapping


def _flat(mapping: dict[str, Any], roots: Sequence[str] | None) -> list[dict[str, Any]]:
    """The parts of a mapping, in order; those of parts too."""
    out: list[dict[str, Any]] = []
    todo: list[Any] = wire.parts_of(mapping)[::-1]
    _fetch([part for part in todo if is_ref(part)], roots)
    while todo:
        part = todo.pop()
        if is_ref(part):
            part = json.loads(_content(part, roots))
        if MAP in part:
            inner = wire.parts_of(part)
            _fetch([one for one in inner if is_ref(one)], roots)
            todo += inner[::-1]
        else:
            out.append(part)
    return out


def _fetch(refs: list[dict[str, Any]], roots: Sequence[str] | None) -> None:
    """Several at a time, where they are far away."""
    if len(refs) < 3 or not remote.is_remote(next(iter(_roots if roots is None else roots), None)):
        return
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda ref: path_of(ref, roots), refs))


class Store:
    """Writes values of one attempt. Without a root (a task run by hand) every value stays inline, and only JSON is accepted."""

    def __init__(self, root: str | None) -> None:
        self._remote = f"{root}/values" if remote.is_remote(root) else None
        self.has_folder = bool(root)
        if root and root not in _roots:
            _roots.append(root)  # what it writes is found again
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
                text = dumps(wire.encode(value))
            except RecursionError:
                raise _too_deep(key) from None
            except ValueError as error:
                raise ValueError(f"'{key}' cannot be stored: {error}") from None
            _check_depth(value, text, key)
        if len(text) <= INLINE or not self._folder:
            small = json.loads(text)
            if not self._folder or text.count(b"[") + text.count(b"{") <= _DEEP or wire.depth(small) <= _DEEP:
                return small
        return self._text(text, isinstance(value, dict))

    # How the result of a task is made to fit a state.

    def shrunk(self, result: dict[str, Any], room: int) -> dict[str, Any]:
        """A layer that has no more than `room` bytes: the largest values go to files, and all of it into one where they are too many."""
        total = len(dumps(result))
        if not self._folder or total <= min(room, INLINE):
            return result
        out = dict(result)
        sizes = {key: len(dumps(value)) for key, value in result.items() if key != MAP}
        largest = sorted(sizes, key=lambda key: -sizes[key])
        enough = sum(min(size, REFERENCE) + len(key) + 4 for key, size in sizes.items()) <= room
        for key in largest:
            if sizes[key] <= (INLINE if total <= room or not enough else 2 * REFERENCE):
                break
            moved = self.moved(out[key])
            total -= sizes[key] - len(dumps(moved))
            out[key] = moved
        return out if total <= room and len(out.get(MAP, ())) <= _PARTS else self.moved(out, split=True)

    def moved(self, value: Any, split: bool = False) -> Any:
        """A value in a file; a mapping that is in files already in few of them. `split`: its large values in files of their own."""
        if is_ref(value) or wire.is_leaf(value):
            return value
        if not isinstance(value, dict):
            return self._text(dumps(value), mapping=False)
        return {MAP: self._compacted(wire.parts_of(value), split)}

    def _compacted(self, parts: list[Any], split: bool) -> list[Any]:
        """Each part is at least twice as large as the next: so few are read, and none is written often."""
        groups: list[tuple[int, list[Any]]] = []
        for part in parts:
            size, members = part["bytes"] if is_ref(part) else len(dumps(part)), [part]
            while groups and groups[-1][0] < 2 * size and groups[-1][0] + size <= _MOST:
                before, earlier = groups.pop()
                size, members = before + size, [*earlier, *members]
            groups.append((size, members))
        return [members[0] if len(members) == 1 and is_ref(members[0]) else self._whole(members, split) for _, members in groups]

    def _whole(self, members: list[Any], split: bool) -> Any:
        merged = opened({MAP: members})
        text = dumps(merged)
        if split and len(text) > _LARGE:
            text = dumps({key: self.moved(value) if len(dumps(value)) > 4096 else value for key, value in merged.items()})
        return self.bytes_of(text, "json", {})

    def _text(self, text: bytes, mapping: bool) -> Any:
        """Of JSON as it travels."""
        ref = self.bytes_of(text, "json", {})
        return {MAP: [ref]} if mapping else ref

    def bytes_of(self, data: bytes, kind: str, more: dict[str, Any]) -> Mark:
        if digests.is_worth_a_thread(len(data)):
            return self._large(data, kind, more)
        name = digests.of(data)
        target = self._target(name + _suffix(kind))
        if not os.path.exists(target):
            temporary = f"{target}.{os.getpid()}.tmp"
            write_whole(temporary, data)
            os.replace(temporary, target)
        return self._ref(target, kind, len(data), name, more)

    def _large(self, data: bytes, kind: str, more: dict[str, Any]) -> Mark:
        """Hashed while it is written, for either takes most of a second a gigabyte."""

        def write(path: str) -> str:
            with digests.Beside(len(data)) as digest:
                write_whole(path, data, digest)
                return digest.hexdigest()

        name, target = self._placed(write, lambda name: name + _suffix(kind))
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
        name, target = self._placed(lambda path: _copied(source, path), lambda name: os.path.join(name, base))
        return self._ref(target, "file", os.path.getsize(target), name, {"name": base})

    def written(self, kind: str, write: Callable[[str], dict[str, Any]]) -> Mark:
        """A file that `write` makes at the path it is given; it returns further fields of the reference (`kind` replaces this one)."""
        temporary = self._target(f"{os.getpid()}.{get_ident()}.tmp")
        try:
            more = write(temporary)
            kind = more.pop("kind", kind)
            name, size = hash_file(temporary)
            target = self._target(name + _suffix(kind))
            os.chmod(temporary, 0o644 & rights(os.path.dirname(target)))
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
            os.makedirs(os.path.dirname(target), rights(folder), exist_ok=True)
        return target


# Keys that were no text may be a second of the same text: JSON's own of numbers, true, false and null.
_OTHER_KEYS = re.compile(rb'"(?:-?[0-9][^"]*|true|false|null)":')


def _json(value: Any, key: str) -> bytes:
    """The JSON of a value of which nothing must be looked at one by one, or nothing."""
    try:
        text = dumps(value)
    except RecursionError:
        raise _too_deep(key) from None
    except (TypeError, ValueError):
        return b""
    _check_depth(value, text, key)
    return b"" if _OTHER_KEYS.search(text) else text


def dumps(value: Any) -> bytes:
    """Compact JSON. A lone surrogate is kept as an escape."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError:
        return json.dumps(value, allow_nan=False, separators=(",", ":")).encode("ascii")


def _check_depth(value: Any, text: bytes, key: str) -> None:
    if text.count(b"[") + text.count(b"{") > _DEEPEST and wire.depth(value) > _DEEPEST:
        raise _too_deep(key)


def _too_deep(key: Any) -> ValueError:
    what = f"it is nested too deep: lists and mappings may have {_DEEPEST} levels, with other objects inside half as many"
    return ValueError(f"'{key}' cannot be stored: {what}. Store a flatter value, or a pathlib.Path of a file")


def _suffix(kind: str) -> str:
    return _SUFFIX.get(kind, f".{kind}")


def path_of(ref: dict[str, Any], roots: Sequence[str] | None = None, verify: bool = True) -> str:
    """Where a value is on this machine. Raises FileNotFoundError if it is gone, ValueError if it is not what was stored."""
    path, hashed = _found(ref, roots)
    if verify and not hashed and hash_file(path)[0] != _name(ref)[1]:
        raise _changed(ref)
    return path


def _found(ref: dict[str, Any], roots: Sequence[str] | None) -> tuple[str, bool]:
    """And whether it has just been hashed."""
    name, sha256 = _name(ref)
    for root in _roots if roots is None else roots:
        if remote.is_remote(root):
            path, hashed = _fetched(f"{root}/values/{name}", name, sha256, ref.get("bytes"))
        else:
            path, hashed = os.path.join(root, "values", name), False
        if path and os.path.isfile(path):
            return path, hashed
    raise FileNotFoundError(f"a stored value is gone, or not of this run: {name}")


def _content(ref: dict[str, Any], roots: Sequence[str] | None = None) -> bytes:
    path, hashed = _found(ref, roots)
    with open(path, "rb", 0) as file:
        size = os.fstat(file.fileno()).st_size
        if hashed:
            return file.readall()
        if digests.is_worth_a_thread(size):
            data, sha256 = _read(file, size)
        else:
            data = file.readall()
            sha256 = digests.of(data)
    if sha256 != _name(ref)[1]:
        raise _changed(ref)
    return data


def _read(file: io.FileIO, size: int) -> tuple[bytes, str]:
    """Bytes of a large file and their hash, which is made of them while the next are read. They are read into the bytes that are returned:
    joining blocks would copy a gigabyte."""
    import io

    whole = io.BytesIO(bytes(size))
    with whole.getbuffer() as view, digests.Beside(size) as digest:
        at = 0
        while count := file.readinto(view[at : at + digests.BLOCK]):
            digest.update(view[at : at + count])
            at += count
        sha256 = digest.hexdigest()
    return whole.getvalue(), sha256 if at == size else ""


def _changed(ref: dict[str, Any]) -> ValueError:
    return ValueError(f"a stored value is not the one that was stored: the sha256 of {_name(ref)[0]} is another")


def _name(ref: dict[str, Any]) -> tuple[str, str]:
    """The name of its file below `values/`, and its sha256. Attempts of earlier versions have that in a separate field."""
    kind = str(ref.get("kind"))
    sha256 = str(ref.get("sha256", ref[REF]))
    if len(sha256) != 64 or not all(digit in "0123456789abcdef" for digit in sha256) or not kind.isalpha():
        raise ValueError(f"cannot read a stored value: its reference is wrong ({sha256[:70]!r})")
    if kind == "file":
        return os.path.join(sha256, os.path.basename(str(ref.get("name")))), sha256
    return sha256 + _suffix(kind), sha256


def _fetched(uri: str, name: str, sha256: str, size: Any) -> tuple[str, bool]:
    """This machine's copy of an object in S3, or nothing where there is none; and whether it has come, and been hashed, now."""
    path = os.path.join(remote.spool(), name)
    if os.path.exists(path):
        return path, False
    os.makedirs(os.path.dirname(path), 0o700, exist_ok=True)
    temporary = f"{path}.{os.getpid()}.{get_ident()}.tmp"
    try:
        remote.download(uri, temporary, size if isinstance(size, int) else None)
    except Exception as error:
        if os.path.exists(temporary):  # not where it failed before the first byte
            os.unlink(temporary)
        if isinstance(error, FileNotFoundError):
            return "", False
        if remote.code_of(error) in ("AccessDenied", "NoSuchKey"):  # of what is not there, where the role may not list
            return "", False
        raise
    if hash_file(temporary)[0] != sha256:
        os.unlink(temporary)
        raise ValueError(f"the value at {uri} is not the one that was stored: its sha256 is another")
    if os.sep in name:
        os.chmod(temporary, 0o400)
    os.replace(temporary, path)
    return path, True


def resolve(value: Any) -> Any:
    """The value as data, with everything that it has in files read back: bytes, pathlib.Path (read-only file), pandas objects."""
    return wire.decode(value, _opened)


def _opened(mark: dict[str, Any]) -> Any:
    if MAP in mark:
        return resolve(opened(mark))
    kind = mark.get("kind")
    if kind == "json":
        data = _content(mark)
        found = json.loads(data)
        return resolve(found) if wire.holds_marks(data) else found
    if kind == "bytes":
        return _content(mark)
    path = path_of(mark)
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
            found = json.loads(_content(found, roots))
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


def hash_file(path: str) -> tuple[str, int]:
    """sha256 and size."""
    size = 0
    with open(path, "rb", 0) as file:
        total = digests.new(os.fstat(file.fileno()).st_size)
        while block := file.read(1 << 18):
            total.update(block)
            size += len(block)
    return total.hexdigest(), size


def rights(folder: str) -> int:
    """Who may have any in what is made in the folder: its owner only. What a container's other user makes has to be read by the owner."""
    return 0o700 if os.stat(folder).st_uid == os.geteuid() else 0o777


def _copied(source: str, target: str) -> str:
    """Copies a file; the sha256 of what was written. By a few blocks in turn: new ones cost more than copying."""
    fd = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with open(source, "rb", 0) as file, digests.Beside(expected := os.fstat(file.fileno()).st_size) as digest:
            block = min(digests.BLOCK, expected + 1)
            blocks = [memoryview(bytearray(block)) for _ in range(1 + (digests.IN_USE if expected >= block else 0))]
            turn = 0
            while count := file.readinto(blocks[turn % len(blocks)]):
                part = blocks[turn % len(blocks)][:count]
                digest.update(part)
                _write(fd, part)
                turn += 1
            os.fchmod(fd, 0o444 & rights(os.path.dirname(target)))
            return digest.hexdigest()
    finally:
        os.close(fd)


def write_whole(path: str, data: bytes, digest: digests.Beside | None = None) -> None:
    """Survives the death of any process once it is written; a sync to the disk, against a power cut, would cost more than a small task."""
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644 & rights(os.path.dirname(path)))
    try:
        if digest is None:
            _write(fd, data)
            return
        view = memoryview(data)
        for start in range(0, len(view), digests.BLOCK):
            block = view[start : start + digests.BLOCK]
            digest.update(block)
            _write(fd, block)
    finally:
        os.close(fd)


def _write(fd: int, data: bytes | memoryview) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]
