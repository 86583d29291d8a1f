"""sha256. Small amounts are hashed without OpenSSL, since mapping that library makes every fork of the worker 0.6 ms slower."""

from __future__ import annotations

from functools import cache

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# Bytes; above it OpenSSL's speed is worth its import.
_MUCH = 1 << 20
# Above it a thread is worth its start.
_VERY_MUCH = 32 << 20
# Bytes of a block that is handed to the thread, and how many blocks wait.
BLOCK = 1 << 20
_WAITING = 4
# A block may be used again when this many have been handed over after it: those that wait, and one that is hashed.
IN_USE = _WAITING + 1


def new(expected: int = 0) -> Any:
    """A hash object for some `expected` bytes."""
    if expected < _MUCH:
        return _little()()
    import hashlib

    return hashlib.sha256()


@cache
def _little() -> Any:
    """Looked for once, by the worker and not by each fork: Python looks for a missing name in every folder of its path."""
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


def is_worth_a_thread(size: int) -> bool:
    return size >= _VERY_MUCH


class Threaded:
    """A hash that a thread makes of blocks while the next are read or written: hashlib lets other threads run meanwhile. The blocks are
    not copied, so they must not change. For about `expected` bytes; few are hashed without a thread."""

    def __init__(self, expected: int) -> None:
        self._hash = new(expected)
        self._blocks: Any = None
        if is_worth_a_thread(expected):
            import queue
            import threading

            self._blocks = queue.Queue(_WAITING)
            self._thread = threading.Thread(target=self._run, daemon=True)
            self._thread.start()

    def __enter__(self) -> Threaded:
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def update(self, block: Any) -> None:
        if self._blocks is None:
            self._hash.update(block)
        else:
            self._blocks.put(block)

    def hexdigest(self) -> str:
        self._end()
        out: str = self._hash.hexdigest()
        return out

    def _end(self) -> None:
        if self._blocks is not None:
            self._blocks.put(None)
            self._thread.join()
            self._blocks = None

    def _run(self) -> None:
        while (block := self._blocks.get()) is not None:
            self._hash.update(block)
            del block  # or it would be kept until the next comes
