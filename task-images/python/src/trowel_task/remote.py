"""Objects in S3, for an attempt whose root is `s3://bucket/…`. The SDK is imported by the first call, not before: most tasks need none.

Addresses are `s3://bucket/key`, the key as it is (not percent-encoded). Credentials are the container's own."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

SCHEME = "s3://"
# Bytes; larger files go up and come down in parts, several at a time.
_LARGE = 32 << 20
# Seconds.
_CONNECT, _READ = 5, 30

_clients: dict[tuple[int, str], Any] = {}
_session: Any = None  # what it has read of the services' descriptions, forks need not read again
_uploaded: set[str] = set()


def is_remote(place: str | None) -> bool:
    return place is not None and place.startswith(SCHEME)


def client(service: str, attempts: int = 6, read: float = _READ) -> Any:
    """A client of this process (a fork must not go on with its parent's connections)."""
    global _session
    key = (os.getpid(), service)
    if key not in _clients:
        import botocore.session  # type: ignore[import-untyped,import-not-found,unused-ignore]
        from botocore.config import Config  # type: ignore[import-untyped,import-not-found,unused-ignore]

        # Another endpoint than Amazon's seldom has a host name for each bucket.
        elsewhere = any(os.environ.get(name) for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"))
        config = Config(
            retries={"mode": "standard", "total_max_attempts": attempts},
            connect_timeout=_CONNECT,
            read_timeout=read,
            s3={"addressing_style": "path"} if elsewhere else None,
        )
        _session = _session or botocore.session.get_session()
        _clients[key] = _session.create_client(service, config=config)
    return _clients[key]


def load(uri: str) -> bytes:
    bucket, key = parts(uri)
    data: bytes = client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    return data


def save(uri: str, data: bytes) -> None:
    bucket, key = parts(uri)
    client("s3").put_object(Bucket=bucket, Key=key, Body=data)


def remove(uri: str) -> None:
    """What is not there is no error."""
    bucket, key = parts(uri)
    client("s3").delete_object(Bucket=bucket, Key=key)


def upload(path: str, uri: str) -> None:
    """Once a process: values are named by their content."""
    if uri in _uploaded:
        return
    bucket, key = parts(uri)
    if os.path.getsize(path) > _LARGE:
        with _transfer() as transfer:
            transfer.upload(path, bucket, key).result()
    else:
        with open(path, "rb") as file:
            client("s3").put_object(Bucket=bucket, Key=key, Body=file)
    _uploaded.add(uri)


def download(uri: str, path: str) -> None:
    """Raises FileNotFoundError where there is nothing."""
    bucket, key = parts(uri)
    try:
        with _transfer() as transfer:
            transfer.download(bucket, key, path).result()
    except Exception as error:
        if code_of(error) in ("NoSuchKey", "404"):
            raise FileNotFoundError(f"a stored value is gone: {uri}") from None
        raise


def _transfer() -> Any:
    from s3transfer.manager import TransferManager  # type: ignore[import-untyped,import-not-found,unused-ignore]

    return TransferManager(client("s3"))


def parts(uri: str) -> tuple[str, str]:
    bucket, slash, key = uri[len(SCHEME) :].partition("/")
    if not (is_remote(uri) and bucket and slash and key):
        raise ValueError(f"expected s3://bucket/key, got {uri}")
    return bucket, key


def code_of(error: BaseException) -> str:
    """The service's code of a failed call, or nothing."""
    response = getattr(error, "response", None)
    return str(response.get("Error", {}).get("Code", "")) if isinstance(response, dict) else ""


def spool() -> str:
    """The folder of this machine where values lie before they go up and after they came down, by their sha256."""
    import tempfile

    folder = os.path.join(tempfile.gettempdir(), f"trowel-values-{os.getuid()}")
    os.makedirs(folder, 0o700, exist_ok=True)
    return folder
