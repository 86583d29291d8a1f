"""Bytes of a task's output → texts of whole lines, masked, each small enough for one message."""

from __future__ import annotations

import codecs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from trowel_task.contract.masks import Masker

# UTF-8 bytes in one `log` message.
LIMIT = 65_536


class LineSplitter:
    """`feed` takes what was read and returns what may be sent. An incomplete line waits, up to `limit`."""

    def __init__(self, masker: Masker, limit: int = LIMIT) -> None:
        self._masker = masker
        self._limit = max(limit, 16)
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._pending = ""

    def feed(self, data: bytes, final: bool = False) -> list[str]:
        text = self._pending + self._decoder.decode(data, final)
        cut = len(text) if final else text.rfind("\n") + 1
        self._pending = text[cut:]
        out = list(pieces(self._masker.text(text[:cut]), self._limit))
        if len(self._pending) > self._limit:
            # A very long line is sent in parts. What could be the beginning of a secret waits for the rest.
            masked = self._masker.text(self._pending)
            ready = len(masked) - max(self._masker.longest - 1, 0)
            if ready > 0:
                out += pieces(masked[:ready], self._limit)
                masked = masked[ready:]
            self._pending = masked
        return out

    def close(self) -> list[str]:
        return self.feed(b"", final=True)


def pieces(text: str, limit: int) -> Iterator[str]:
    """Cuts `text` into parts of at most `limit` UTF-8 bytes, after a newline where there is one."""
    width = limit if text.isascii() else limit // 4
    start = 0
    while len(text) - start > width:
        end = text.rfind("\n", start, start + width) + 1 or start + width
        yield text[start:end]
        start = end
    if start < len(text):
        yield text[start:]
