"""Objects in S3, for an attempt whose root is `s3://bucket/…`. What talks to S3 is imported by the first call, not before: most tasks
need none of it.

Addresses are `s3://bucket/key`, the key as it is (not percent-encoded). Credentials are the container's own.
"""

from __future__ import annotations

import os

SCHEME = "s3://"
_uploaded: set[str] = set()


def is_remote(place: str | None) -> bool:
    return place is not None and place.startswith(SCHEME)


def load(uri: str) -> bytes:
    from trowel_task.aws import services

    data: bytes = services.send("s3", "GET", services.object_url(*parts(uri)))
    return data


def save(uri: str, data: bytes) -> None:
    from trowel_task.aws import services

    services.send("s3", "PUT", services.object_url(*parts(uri)), data)


def remove(uri: str) -> None:
    """A missing object is not an error."""
    from trowel_task.aws import services

    services.send("s3", "DELETE", services.object_url(*parts(uri)))


def upload(path: str, uri: str, sha256: str) -> None:
    """Not again what is there already: values are named by their content. S3 refuses what came over changed."""
    if uri in _uploaded:
        return
    from trowel_task.aws import services, transfer

    transfer.upload(path, services.object_url(*parts(uri)), sha256)
    _uploaded.add(uri)


def download(uri: str, path: str, size: int | None = None) -> None:
    """`size`: its bytes, if they are known.

    Raises FileNotFoundError where there is nothing that this task may read: who may not list a bucket is not told which."""
    from trowel_task.aws import services, transfer

    try:
        transfer.download(services.object_url(*parts(uri)), path, size)
    except services.ServiceError as error:
        if error.code in ("NoSuchKey", "AccessDenied"):
            raise FileNotFoundError(f"a stored value is gone, or is not of this workflow: {uri}") from None
        raise


def parts(uri: str) -> tuple[str, str]:
    bucket, slash, key = uri[len(SCHEME) :].partition("/")
    if not (is_remote(uri) and bucket and slash and key):
        raise ValueError(f"expected s3://bucket/key, got {uri}")
    return bucket, key


def code_of(error: BaseException) -> str:
    """The service's name for why it refused a call, or nothing."""
    code = getattr(error, "code", "")
    return code if isinstance(code, str) else ""


def spool() -> str:
    """The folder of this machine where values lie before they go up and after they came down, by their sha256."""
    import tempfile

    folder = os.path.join(tempfile.gettempdir(), f"trowel-values-{os.getuid()}")
    os.makedirs(folder, 0o700, exist_ok=True)
    return folder
