"""Objects in S3, for an attempt whose root is `s3://bucket/…`. The modules that call S3 are imported at the first call, since most tasks
need none of them.

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
    """A value that is in S3 already is not sent again, since values are named by their content. S3 refuses content that arrives changed."""
    if uri in _uploaded:
        return
    from trowel_task.aws import services, transfer

    transfer.upload(path, services.object_url(*parts(uri)), sha256)
    _uploaded.add(uri)


def download(uri: str, path: str, size: int | None = None) -> None:
    """`size`: its bytes, if they are known.

    Raises FileNotFoundError for an object that does not exist or that this task may not read: S3 does not say which without the right
    to list the bucket."""
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
    """The folder of this machine for values before they are uploaded and after they are downloaded, named by their sha256."""
    import tempfile

    folder = os.path.join(tempfile.gettempdir(), f"trowel-values-{os.getuid()}")
    os.makedirs(folder, 0o700, exist_ok=True)
    return folder
