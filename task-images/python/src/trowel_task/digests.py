"""sha256, without OpenSSL where little is hashed: mapping that library makes every fork of the worker 0.6 ms slower."""

from __future__ import annotations

from functools import cache

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# Bytes; above it OpenSSL's speed is worth its import.
_MUCH = 1 << 20


def new(expected: int = 0) -> Any:
    """A hash object for some `expected` bytes."""
    if expected < _MUCH:
        return _little()()
    import hashlib

    return hashlib.sha256()


@cache
def _little() -> Any:
    """Looked for once, by the worker and not by each fork: a name that is missing is looked for in every folder of Python's path."""
    for name in ("_sha2", "_sha256"):  # CPython 3.12 and before
        try:
            return __import__(name).sha256
        except ImportError:
            continue
    import hashlib

    return hashlib.sha256


def of(data: bytes) -> str:
    digest = new(len(data))
    digest.update(data)
    out: str = digest.hexdigest()
    return out
