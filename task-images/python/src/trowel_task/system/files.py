"""Files as a whole: copied, written and read, and hashed on the way."""

from __future__ import annotations

import os

from trowel_task.system import digests

TYPE_CHECKING = False
if TYPE_CHECKING:
    import io


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
    """Bits of permission for what is made in the folder: only its owner has any. If this process is another user (in a container), all have
    them, for the owner must read it."""
    return 0o700 if os.stat(folder).st_uid == os.geteuid() else 0o777


def copy(source: str, target: str) -> str:
    """Copies a file and returns the sha256 of what was written. Uses a few blocks again, since new ones cost more than copying."""
    fd = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with open(source, "rb", 0) as file, digests.Threaded(expected := os.fstat(file.fileno()).st_size) as digest:
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


def write_whole(path: str, data: bytes, digest: digests.Threaded | None = None) -> None:
    """What is written survives the death of any process. Not synced to the disk, for the case of a power cut: that costs more than a small
    task."""
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


def read_whole(file: io.FileIO, size: int) -> tuple[bytes, str]:
    """The bytes of a large file and their hash, which is made while the next block is read. They are read into the bytes that are returned,
    since joining blocks would copy a gigabyte."""
    import io

    whole = io.BytesIO(bytes(size))
    with whole.getbuffer() as view, digests.Threaded(size) as digest:
        at = 0
        while count := file.readinto(view[at : at + digests.BLOCK]):
            digest.update(view[at : at + count])
            at += count
        sha256 = digest.hexdigest()
    return whole.getvalue(), sha256 if at == size else ""


def _write(fd: int, data: bytes | memoryview) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]
