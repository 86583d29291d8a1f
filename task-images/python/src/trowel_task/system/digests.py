"""sha256, without OpenSSL where little is hashed: mapping that library makes every fork of the worker 0.6 ms slower."""

from __future__ import annotations

from functools import cache

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# Bytes; above it OpenSSL's speed is worth its import.
_MUCH = 1 << 20
# Above it a thread is worth its start.
_VERY_MUCH = 32 << 20
# Of a block that is handed to it, and blocks that wait.
BLOCK = 1 << 20
_WAITING = 4
# A block may be written anew when so many have been handed over after it: those that wait, and one that is hashed.
IN_USE = _WAITING + 1


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


def is_worth_a_thread(size: int) -> bool:
    return size >= _VERY_MUCH


class Beside:
    """A hash that a thread makes of blocks while the next are read or written: hashlib lets other threads run meanwhile. What is hashed are
    the blocks themselves, in memory, so it must not change. For some `expected` bytes; of few there is no thread."""

    def __init__(self, expected: int) -> None:
        self._hash = new(expected)
        self._blocks: Any = None
        if is_worth_a_thread(expected):
            import queue
            import threading

            self._blocks = queue.Queue(_WAITING)
            self._thread = threading.Thread(target=self._run, daemon=True)
            self._thread.start()

    def __enter__(self) -> Beside:
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
