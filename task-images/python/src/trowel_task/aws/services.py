"""Calls of AWS's services: S3's for objects, three of Step Functions, one of Lambda. HTTP and the signature are the standard library's and
bootstrap.py's: an SDK takes longer to load than most tasks take to run, and its version would be one that a project cannot choose.
"""

from __future__ import annotations

import json
import os
import random
import time

from trowel_task.aws import bootstrap, connections

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from http.client import HTTPResponse
    from typing import Any

# As it is before user code changes it (a key of another account, another endpoint).
_ENV = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
_BLOCK = 1 << 18
# Seconds.
_TIMEOUT, _PAUSE, _LONGEST_PAUSE = 30.0, 0.2, 10.0
# Credentials that end within this many seconds are read again.
_EARLY = 300
_PASSING = {"Throttling", "ThrottlingException", "ThrottledException", "RequestThrottled", "RequestLimitExceeded"}
_PASSING |= {"TooManyRequestsException", "SlowDown", "RequestTimeout", "RequestTimeoutException", "InternalError"}
_EXPIRED = ("ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired")

_keys: bootstrap.Keys | None = None


class ServiceError(Exception):
    """What a service refused. `code` is its name for it, as `NoSuchKey`. `expired`: S3 says when the signed address ended."""

    def __init__(self, code: str, status: int, message: str, expired: bool = False) -> None:
        super().__init__(f"{code}: {message}" if message and message != code else code)
        self.code = code
        self.status = status
        self.expired = expired


class Part:
    """`size` bytes of a file, from `start` on."""

    def __init__(self, path: str, start: int, size: int) -> None:
        self.path = path
        self.start = start
        self.size = size

    def __len__(self) -> int:
        return self.size


def region() -> str:
    found = _ENV.get("AWS_REGION") or _ENV.get("AWS_DEFAULT_REGION")
    if not found:
        raise bootstrap.Failed("the variable AWS_REGION is not set")
    return found


def object_url(bucket: str, key: str) -> str:
    return bootstrap.address(bucket, key, region(), _ENV)


def send(
    service: str,
    method: str,
    url: str,
    body: bytes | str | Part = b"",
    *,
    digest: str | None = None,
    headers: dict[str, str] | None = None,
    attempts: int = 6,
    timeout: float = _TIMEOUT,
    read: Callable[[HTTPResponse], Any] | None = None,
) -> Any:
    """The answer's content, or what `read` makes of the answer. A `body` that is a str is the path of a file, sent in blocks; a Part is
    some of one.

    Tries again what may pass. Raises ServiceError for what was refused, OSError or HTTPException for what got no answer."""
    digest = digest or _digest(body)
    return _repeated(lambda: _once(service, method, url, body, digest, headers or {}, timeout, read), attempts)


def fetch(address: str) -> bytes:
    """The content at a signed address, which whoever has it may read. Raises as `send` does; no message holds the address."""

    def ask() -> bytes:
        from urllib.parse import urlsplit

        parts = urlsplit(address)
        with connections.lend(parts.scheme, parts.netloc, _TIMEOUT) as connection:
            answer: HTTPResponse = connection.ask("GET", f"{parts.path}?{parts.query}", None, {})
            if answer.status >= 300:
                raise _refused(answer.status, answer.headers, answer.read())
            return answer.read()

    found: bytes = _repeated(ask, 6)
    return found


def _repeated(act: Callable[[], Any], attempts: int) -> Any:
    for attempt in range(1, attempts + 1):
        try:
            return act()
        except ServiceError as error:
            if not passes(error) or attempt == attempts:
                raise
        except broken():
            if attempt == attempts:
                raise
        pause(attempt)
    raise AssertionError("attempts is at least 1")


def passes(error: ServiceError) -> bool:
    """Whether a further try may succeed."""
    if error.code in _EXPIRED:
        forget_credentials()
        return True
    return error.status >= 500 or error.status == 429 or error.code in _PASSING


def broken() -> tuple[type[Exception], ...]:
    """Exceptions of requests that got no answer, time-outs among them."""
    from http.client import HTTPException

    return (OSError, EOFError, HTTPException)


def pause(attempt: int) -> None:
    time.sleep(random.uniform(0, min(_PAUSE * 2**attempt, _LONGEST_PAUSE)))


def _once(
    service: str,
    method: str,
    url: str,
    body: bytes | str | Part,
    digest: str,
    headers: dict[str, str],
    timeout: float,
    read: Callable[[HTTPResponse], Any] | None,
) -> Any:
    from urllib.parse import urlsplit

    whole = bootstrap.signed(method, url, service, region(), credentials(), digest, headers)
    if method not in ("GET", "DELETE"):
        whole["content-length"] = str(len(body) if isinstance(body, (bytes, Part)) else os.path.getsize(body))
    parts = urlsplit(url)
    with connections.lend(parts.scheme, parts.netloc, timeout) as connection:
        data = body or None if isinstance(body, bytes) else _content(_part(body))
        path = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
        answer: HTTPResponse = connection.ask(method, path, data, whole)
        if answer.status >= 300:
            raise _refused(answer.status, answer.headers, answer.read())
        return read(answer) if read else answer.read()


def _part(body: str | Part) -> Part:
    return body if isinstance(body, Part) else Part(body, 0, os.path.getsize(body))


def _content(part: Part) -> bytes | Iterator[bytes]:
    return _blocks(part) if len(part) > _BLOCK else b"".join(_blocks(part))


def _blocks(part: Part) -> Iterator[bytes]:
    with open(part.path, "rb", 0) as file:
        file.seek(part.start)
        left = part.size
        while left and (block := file.read(min(_BLOCK, left))):
            left -= len(block)
            yield block


def _digest(body: bytes | str | Part) -> str:
    if not body:
        return bootstrap.NOTHING
    from trowel_task.system import digests

    if isinstance(body, bytes):
        return digests.of(body)
    part = _part(body)
    total = digests.new(len(part))
    for block in _blocks(part):
        total.update(block)
    found: str = total.hexdigest()
    return found


def _refused(status: int, headers: Any, body: bytes) -> ServiceError:
    """XML of S3, JSON of the others."""
    text = body.decode("utf-8", "replace")
    expired = "<Expires>" in text  # next to AccessDenied, whose text is for people
    if text.lstrip().startswith("<"):
        code, message = (text.partition(f"<{tag}>")[2].partition(f"</{tag}>")[0] for tag in ("Code", "Message"))
    else:
        try:
            said = json.loads(text or "{}")
        except ValueError:
            said = {}
        said = said if isinstance(said, dict) else {}
        code = str(headers.get("x-amzn-errortype") or said.get("__type") or said.get("code") or "")
        message = str(said.get("message") or said.get("Message") or "")
    code = code.rpartition("#")[2].partition(":")[0]
    return ServiceError(code or f"HTTP{status}", status, message, expired)


def credentials() -> bootstrap.Keys:
    """The credentials of the container, read again before they end. If that fails, the earlier ones are used until they end."""
    global _keys
    if _keys is None or _end_within(_keys, _EARLY):
        try:
            _keys = bootstrap.credentials(_ENV)
        except bootstrap.Failed:
            if _keys is None or _end_within(_keys, 0):
                raise
    return _keys


def _end_within(keys: bootstrap.Keys, seconds: float) -> bool:
    return bool(keys.until and keys.until < time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + seconds)))


def forget_credentials() -> None:
    global _keys
    _keys = None


def step_functions(action: str, content: dict[str, str], *, attempts: int, timeout: float) -> None:
    headers = {"content-type": "application/x-amz-json-1.0", "x-amz-target": f"AWSStepFunctions.{action}"}
    url = bootstrap.endpoint("states", region(), _ENV)[0] + "/"
    send("states", "POST", url, json.dumps(content).encode(), headers=headers, attempts=attempts, timeout=timeout)


def invoke(function: str, payload: Any, timeout: float = 90.0) -> tuple[bool, Any]:
    """Whether the function (a name or an ARN) succeeded, and what it said."""
    from urllib.parse import quote

    url = f"{bootstrap.endpoint('lambda', region(), _ENV)[0]}/2015-03-31/functions/{quote(function, safe='-_.~')}/invocations"

    def read(answer: HTTPResponse) -> tuple[bool, Any]:
        return answer.headers.get("x-amz-function-error") is None, json.load(answer)

    said: tuple[bool, Any] = send("lambda", "POST", url, json.dumps(payload).encode(), timeout=timeout, read=read)
    return said
