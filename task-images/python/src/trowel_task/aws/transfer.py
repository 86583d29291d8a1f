"""Large objects to and from S3: in parts, several at a time if the task has the processors for it. A broken transfer continues from where
it broke.

S3's limits (AWS, "Multipart upload limits"): 5 GiB a request, 10,000 parts of at least 5 MiB, 5 TiB an object.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from http.client import HTTPResponse

# Bytes. Up to here one request takes the whole.
WHOLE = 100_000_000
PART = 64 << 20
_PARTS = 10_000
_LARGEST = 5 << 40
# To ask whether a smaller object exists costs as much as to send it.
_WORTH_ASKING = 1 << 20
_BLOCK = 1 << 18
# Tries without a byte of progress.
_TRIES = 6
_MOST_AT_ONCE = 8


def upload(path: str, url: str, sha256: str) -> None:
    """Sends nothing if the address has an object of this size. The address must name the content."""
    from trowel_task.aws import services

    size = os.path.getsize(path)
    if size > _LARGEST:
        raise ValueError(f"a stored value has {size} bytes, S3 takes {_LARGEST}: store several")
    if size > _WORTH_ASKING and _size_of(url) == size:
        return
    if size <= WHOLE:
        services.send("s3", "PUT", url, path, digest=sha256)
        return
    begun = services.send("s3", "POST", f"{url}?uploads=").decode()
    identity = begun.partition("<UploadId>")[2].partition("</UploadId>")[0]
    part = max(PART, -(-size // _PARTS))
    tags: dict[int, str] = {}

    def send(number: int) -> None:
        start = (number - 1) * part
        query = _query(partNumber=str(number), uploadId=identity)
        body = services.Part(path, start, min(part, size - start))
        tags[number] = services.send("s3", "PUT", f"{url}?{query}", body, read=_tag)

    try:
        _together([_bound(send, number) for number in range(1, -(-size // part) + 1)])
        listed = "".join(f"<Part><PartNumber>{n}</PartNumber><ETag>{tags[n]}</ETag></Part>" for n in sorted(tags))
        body = f"<CompleteMultipartUpload>{listed}</CompleteMultipartUpload>".encode()
        # S3 may take minutes, and may report a fault in an answer of 200.
        services.send("s3", "POST", f"{url}?{_query(uploadId=identity)}", body, timeout=300.0, read=_completed)
    except BaseException:
        # What is left is removed by a rule of the bucket; this is sooner.
        try:
            services.send("s3", "DELETE", f"{url}?{_query(uploadId=identity)}", attempts=1)
        except Exception:
            pass
        raise


def download(url: str, path: str, size: int | None = None) -> None:
    """`size`: bytes of the object, if they are known; it is then read in parts at the same time. Raises as `services.send` does."""
    with open(path, "wb", 0) as file:
        target = file.fileno()
        if not size or size <= PART:
            _range(url, target, 0, None)
        else:
            _together([_bound(_range, url, target, start, min(start + PART, size)) for start in range(0, size, PART)])


def _range(url: str, target: int, start: int, end: int | None) -> None:
    """From `start` to before `end` (None: to the end of the object). After a break it continues from what has arrived."""
    from trowel_task.aws import services

    at, tries = start, 0

    def read(answer: HTTPResponse) -> None:
        nonlocal at
        length, begun = answer.headers.get("content-length"), at
        if at and answer.status != 206:
            raise ValueError("the server does not send a part of an object")
        while block := answer.read(_BLOCK):
            at += os.pwrite(target, block, at)
        if length and at - begun != int(length):
            raise EOFError(f"{at - begun} of {length} bytes came")

    while True:
        before = at
        limits = {} if not at and end is None else {"range": f"bytes={at}-{'' if end is None else end - 1}"}
        try:
            services.send("s3", "GET", url, headers=limits, read=read, attempts=1)
            return
        except services.ServiceError as error:
            if not services.passes(error):
                raise
            failed: Exception = error
        except services.broken() as error:
            failed = error
        tries = 1 if at > before else tries + 1
        if tries >= _TRIES:
            raise failed
        services.pause(tries)


def _size_of(url: str) -> int | None:
    """None if there is no object, or S3 does not say so because the bucket may not be listed."""
    from trowel_task.aws import services

    def read(answer: HTTPResponse) -> int:
        return int(answer.headers.get("content-length") or -1)

    try:
        found: int = services.send("s3", "HEAD", url, read=read)
        return found
    except services.ServiceError as error:
        if error.status in (403, 404):
            return None
        raise


def _tag(answer: HTTPResponse) -> str:
    answer.read()
    return str(answer.headers.get("etag") or "")


def _completed(answer: HTTPResponse) -> None:
    from trowel_task.aws import services

    text = answer.read().decode("utf-8", "replace")
    if "<Error>" in text:
        code, message = (text.partition(f"<{tag}>")[2].partition(f"</{tag}>")[0] for tag in ("Code", "Message"))
        raise services.ServiceError(code, 500, message)


def _query(**values: str) -> str:
    """In the order and form in which it is signed."""
    from urllib.parse import quote

    return "&".join(f"{name}={quote(values[name], safe='-_.~')}" for name in sorted(values))


def _bound(act: Callable[..., None], *given: object) -> Callable[[], None]:
    return lambda: act(*given)


def _together(acts: Iterable[Callable[[], None]]) -> None:
    """All of them; raises the first fault once those under way have ended."""
    waiting = list(acts)
    count = min(len(waiting), at_once())
    if count <= 1:
        for act in waiting:
            act()
        return
    from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait

    with ThreadPoolExecutor(count) as pool:
        futures = [pool.submit(act) for act in waiting]
        done, left = wait(futures, return_when=FIRST_EXCEPTION)
        for future in left:
            future.cancel()
        for future in done:
            future.result()


def at_once() -> int:
    """How many transfers keep the task's processors busy: two for each whole one, for half of a transfer is waiting."""
    return max(1, min(_MOST_AT_ONCE, int(2 * _processors())))


def _processors() -> float:
    """What the container may use (cgroup version 2, or 1), else what the machine has."""
    try:
        with open("/sys/fs/cgroup/cpu.max") as file:
            quota, period = file.read().split()
        if quota != "max":
            return int(quota) / int(period)
    except (OSError, ValueError):
        try:
            with open("/sys/fs/cgroup/cpu/cpu.cfs_quota_us") as file:
                given = int(file.read())
            if given > 0:
                return given / 100_000
        except (OSError, ValueError):
            pass
    return float(os.cpu_count() or 1)
