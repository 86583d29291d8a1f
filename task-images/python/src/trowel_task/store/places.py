"""Where values in files are: below `ROOT/values`, named by their sha256. They are looked for below the attempt's own root and those that
it continues, and nowhere else. Where a root is `s3://bucket/…`, this machine's copy is in a folder of its own (aws/remote.py)."""

from __future__ import annotations

import os
from _thread import get_ident

from trowel_task.aws import remote
from trowel_task.contract.wire import REF
from trowel_task.system import digests, files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

_SUFFIX = {"json": ".json", "bytes": ".bin", "table": ".table.json"}

_roots: list[str] = []


def look_in(roots: Iterable[str]) -> None:
    """Below which roots this process finds values, the attempt's own first."""
    _roots[:] = roots


def add(root: str) -> None:
    """Values of one more root are found."""
    if root not in _roots:
        _roots.append(root)


def suffix(kind: str) -> str:
    return _SUFFIX.get(kind, f".{kind}")


def path_of(ref: dict[str, Any], roots: Sequence[str] | None = None, verify: bool = True) -> str:
    """Where a value is on this machine. Raises FileNotFoundError if it is gone, ValueError if it is not what was stored."""
    path, hashed = _found(ref, roots)
    if verify and not hashed and files.hash_file(path)[0] != _name(ref)[1]:
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


def content(ref: dict[str, Any], roots: Sequence[str] | None = None) -> bytes:
    path, hashed = _found(ref, roots)
    with open(path, "rb", 0) as file:
        size = os.fstat(file.fileno()).st_size
        if hashed:
            return file.readall()
        if digests.is_worth_a_thread(size):
            data, sha256 = files.read_whole(file, size)
        else:
            data = file.readall()
            sha256 = digests.of(data)
    if sha256 != _name(ref)[1]:
        raise _changed(ref)
    return data


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
    return sha256 + suffix(kind), sha256


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
    if files.hash_file(temporary)[0] != sha256:
        os.unlink(temporary)
        raise ValueError(f"the value at {uri} is not the one that was stored: its sha256 is another")
    if os.sep in name:
        os.chmod(temporary, 0o400)
    os.replace(temporary, path)
    return path, True


def fetch(refs: list[dict[str, Any]], roots: Sequence[str] | None) -> None:
    """Several at a time, where they are far away."""
    if len(refs) < 3 or not remote.is_remote(next(iter(_roots if roots is None else roots), None)):
        return
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda ref: path_of(ref, roots), refs))
