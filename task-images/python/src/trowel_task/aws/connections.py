"""HTTP connections that are kept for the next request, since agreeing on keys takes longer than most requests.

A connection belongs to one thread of one process. HTTPS_PROXY and NO_PROXY are respected.
"""

from __future__ import annotations

import os
import time
from _thread import get_ident
from contextlib import contextmanager

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from http.client import HTTPConnection, HTTPResponse
    from typing import Any

# Seconds without use after which the other side may have closed it.
_IDLE = 8.0

# As they are before user code changes them.
_PROXY = os.environ.get("https_proxy") or os.environ.get("HTTPS_PROXY")
_DIRECT = os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or ""

_Key = tuple[int, int, str, str]
_kept: dict[_Key, Connection] = {}
_context: Any = None


class Connection:
    def __init__(self, scheme: str, netloc: str) -> None:
        self._scheme = scheme
        self._netloc = netloc
        self._http: HTTPConnection | None = None
        self.used = time.monotonic()
        self.timeout = 30.0

    def ask(self, method: str, path: str, body: Any, headers: dict[str, str]) -> HTTPResponse:
        """Read the answer's content before the next request. `body`: bytes, an iterator of blocks, or None."""
        from http.client import HTTPException

        if self._http is not None and not hasattr(body, "__next__"):
            try:
                return self._ask(method, path, body, headers)
            except (OSError, HTTPException):
                pass  # the server has closed it; every request of this package may be sent twice
        self.close()
        return self._ask(method, path, body, headers)

    def _ask(self, method: str, path: str, body: Any, headers: dict[str, str]) -> HTTPResponse:
        http = self._http = self._http or _connect(self._scheme, self._netloc, self.timeout)
        if http.sock is not None:
            http.sock.settimeout(self.timeout)
        http.request(method, path, body, headers)
        return http.getresponse()

    def close(self) -> None:
        if self._http is not None:
            self._http.close()
            self._http = None


@contextmanager
def lend(scheme: str, netloc: str, timeout: float) -> Iterator[Connection]:
    """A connection for one request and its answer. After a fault it is not used again."""
    key = (os.getpid(), get_ident(), scheme, netloc)
    connection = _kept.pop(key, None)
    if connection is not None and time.monotonic() - connection.used > _IDLE:
        connection.close()
        connection = None
    connection = connection or Connection(scheme, netloc)
    connection.timeout = timeout
    try:
        yield connection
    except BaseException:
        connection.close()
        raise
    connection.used = time.monotonic()
    _kept[key] = connection


def close() -> None:
    """Before a fork: nothing may be shared."""
    while _kept:
        _kept.popitem()[1].close()


def _connect(scheme: str, netloc: str, timeout: float) -> HTTPConnection:
    from http.client import HTTPConnection, HTTPSConnection

    if scheme != "https":
        return HTTPConnection(netloc, timeout=timeout)
    global _context
    if _context is None:
        from ssl import create_default_context

        # Once for the process and its forks, since reading the certificates of all authorities takes a while.
        _context = create_default_context()
    proxy = _proxy(netloc)
    if proxy is None:
        return HTTPSConnection(netloc, timeout=timeout, context=_context)
    from base64 import b64encode
    from urllib.parse import unquote

    connection = HTTPSConnection(proxy.hostname or "", proxy.port, timeout=timeout, context=_context)
    user = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}" if proxy.username else ""
    connection.set_tunnel(netloc, headers={"Proxy-Authorization": "Basic " + b64encode(user.encode()).decode()} if user else {})
    return connection


def _proxy(netloc: str) -> Any:
    if not _PROXY:
        return None
    from urllib.parse import urlsplit
    from urllib.request import proxy_bypass_environment  # type: ignore[attr-defined]

    if proxy_bypass_environment(netloc, {"no": _DIRECT}):
        return None
    return urlsplit(_PROXY if "://" in _PROXY else f"http://{_PROXY}")
