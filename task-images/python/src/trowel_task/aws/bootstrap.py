"""The command of a container: fetches the project's bundle from S3, unpacks it, and becomes `python -m trowel_task fargate`.

Runs in a stock Python image (3.9 or newer), as `python -c`, with nothing but the standard library; one file, for it is part of the task
definition. The runner in the bundle signs its own calls with it too (services.py). Reads TROWEL_BUNDLE (s3://bucket/key),
TROWEL_BUNDLE_SHA256, AWS_REGION and the container's credentials (AWS_CONTAINER_CREDENTIALS_RELATIVE_URI, …_FULL_URI, or
AWS_ACCESS_KEY_ID); AWS_ENDPOINT_URL_S3 and AWS_ENDPOINT_URL as the SDKs do. Says what is wrong in one line and exits with 78 (EX_CONFIG:
no further try would change it) or 75 (EX_TEMPFAIL).
"""

# Plain syntax and few imports: an older Python must come as far as its message, and importers need only the signature.
import hashlib
import hmac
import json
import os
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping  # noqa: F401
    from typing import Any, NoReturn, Optional, TypeVar  # noqa: F401

    T = TypeVar("T")

CONFIG, TEMPORARY = 78, 75
TRIES = 5
BLOCK = 1 << 20
NOTHING = hashlib.sha256(b"").hexdigest()


class Failed(Exception):
    def __init__(self, message, code=CONFIG):  # type: (str, int) -> None
        super().__init__(message)
        self.code = code


def need(name, env=os.environ):  # type: (str, Mapping[str, str]) -> str
    value = env.get(name)
    if not value:
        raise Failed(f"the variable {name} is not set")
    return value


def again(what, act):  # type: (str, Callable[[], T]) -> T
    """The network and servers may fail; what a server refuses it will refuse again."""
    from http.client import HTTPException
    from urllib.error import HTTPError

    said = what
    for tries in range(1, TRIES + 1):
        try:
            return act()
        except HTTPError as error:
            text = error.read(2000).decode("utf-8", "replace")
            code = text.partition("<Code>")[2].partition("</Code>")[0]
            said = f"{what}: {error.code} {code or error.reason}"
            if error.code < 500 and error.code != 429:
                raise Failed(said) from None
        except (OSError, EOFError, HTTPException) as error:  # URLError and time-outs among them
            said = f"{what}: {getattr(error, 'reason', error) or type(error).__name__}"
        if tries < TRIES:
            time.sleep(0.2 * 2**tries)
    raise Failed(f"{said} ({TRIES} times)", TEMPORARY)


class Keys:
    """Credentials. `until` is when they end (ISO 8601, UTC), if they do."""

    def __init__(self, access, secret, token=None, until=None):  # type: (str, str, Optional[str], Optional[str]) -> None
        self.access = access
        self.secret = secret
        self.token = token
        self.until = until


def credentials(env=os.environ):  # type: (Mapping[str, str]) -> Keys
    relative, full = env.get("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"), env.get("AWS_CONTAINER_CREDENTIALS_FULL_URI")
    if not relative and not full:
        return Keys(need("AWS_ACCESS_KEY_ID", env), need("AWS_SECRET_ACCESS_KEY", env), env.get("AWS_SESSION_TOKEN"))
    from urllib.request import ProxyHandler, Request, build_opener

    headers = {}
    token = env.get("AWS_CONTAINER_AUTHORIZATION_TOKEN")
    if token:
        headers["Authorization"] = token
    request = Request("http://169.254.170.2" + relative if relative else str(full), headers=headers)
    opener = build_opener(ProxyHandler({}))  # an address of this host: no proxy knows it

    def ask():  # type: () -> Any
        with opener.open(request, timeout=5) as answer:
            return json.load(answer)

    try:
        given = again("the container's credentials cannot be read", ask)
        return Keys(given["AccessKeyId"], given["SecretAccessKey"], given.get("Token"), given.get("Expiration"))
    except (ValueError, KeyError, TypeError):
        raise Failed("the container's credentials are not what was expected") from None


def endpoint(service, region, env):  # type: (str, str, Mapping[str, str]) -> tuple[str, bool]
    """Address of a service (`s3`, `states`, `lambda`), and whether it is Amazon's own."""
    own = {"states": "SFN"}.get(service, service.upper())
    given = env.get(f"AWS_ENDPOINT_URL_{own}") or env.get("AWS_ENDPOINT_URL")
    if given:
        return given.rstrip("/"), False
    return f"https://{service}.{region}.amazonaws.com" + (".cn" if region.startswith("cn-") else ""), True


def address(bucket, key, region, env=os.environ):  # type: (str, str, str, Mapping[str, str]) -> str
    from urllib.parse import quote

    base, amazon = endpoint("s3", region, env)
    path = quote(key, safe="/-_.~")
    # A certificate of *.s3… is valid only for names without dots; few other servers have a host name for each bucket.
    return f"{base}/{bucket}/{path}" if "." in bucket or not amazon else f"https://{bucket}.{base[len('https://') :]}/{path}"


def signed(method, url, service, region, keys, digest=NOTHING, headers=None, stamp=None):
    # type: (str, str, str, str, Keys, str, Optional[Mapping[str, str]], Optional[str]) -> dict[str, str]
    """Headers of a request with Signature Version 4, those given among them. `digest`: sha256 of the body.
    A query is sorted, with `=` after each name."""
    from urllib.parse import quote, urlsplit

    parts = urlsplit(url)
    stamp = stamp or time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    all_headers = {"host": parts.netloc, "x-amz-content-sha256": digest, "x-amz-date": stamp}
    all_headers.update((name.lower(), value) for name, value in (headers or {}).items())
    if keys.token:
        all_headers["x-amz-security-token"] = keys.token
    names = ";".join(sorted(all_headers))
    lines = "".join(f"{name}:{all_headers[name]}\n" for name in sorted(all_headers))
    path = parts.path or "/"
    # Only S3 takes the path as it is sent.
    canonical = f"{method}\n{path if service == 's3' else quote(path, safe='/-_.~')}\n{parts.query}\n{lines}\n{names}\n{digest}"
    scope = f"{stamp[:8]}/{region}/{service}/aws4_request"
    text = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    key = f"AWS4{keys.secret}".encode()
    for part in (*scope.split("/"), text):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    all_headers["authorization"] = f"AWS4-HMAC-SHA256 Credential={keys.access}/{scope}, SignedHeaders={names}, Signature={key.hex()}"
    return all_headers


def fetch(path):  # type: (str) -> None
    from urllib.request import Request, urlopen

    bundle, expected, region = need("TROWEL_BUNDLE"), need("TROWEL_BUNDLE_SHA256"), need("AWS_REGION")
    bucket, _, key = bundle[len("s3://") :].partition("/")
    if not bundle.startswith("s3://") or not bucket or not key:
        raise Failed(f"TROWEL_BUNDLE is not s3://bucket/key but {bundle}")
    keys = credentials()
    url = address(bucket, key, region)

    def load():  # type: () -> str
        digest = hashlib.sha256()
        request = Request(url, headers=signed("GET", url, "s3", region, keys))
        with urlopen(request, timeout=30) as answer, open(path, "wb") as file:
            size, length = 0, answer.headers.get("content-length")
            for block in iter(lambda: answer.read(BLOCK), b""):
                digest.update(block)
                file.write(block)
                size += len(block)
        if length and size != int(length):
            raise EOFError(f"{size} of {length} bytes came")
        return digest.hexdigest()

    found = again(f"the bundle {bundle} cannot be fetched", load)
    if found != expected.lower():
        raise Failed(f"the bundle {bundle} is not the one that was deployed: its sha256 is {found}, not {expected}")


def unpack(path, folder):  # type: (str, str) -> None
    """Several files at a time: inflating and writing need no interpreter lock."""
    import zipfile
    from concurrent.futures import ThreadPoolExecutor

    try:
        with zipfile.ZipFile(path) as bundle:
            entries = bundle.infolist()
        for name in {os.path.dirname(entry.filename) for entry in entries}:
            if os.path.isabs(name) or ".." in name.split("/"):
                raise Failed(f"the bundle has a file outside of it: {name}")
            os.makedirs(os.path.join(folder, name), exist_ok=True)
        count = min(4, (os.cpu_count() or 1) + 1)

        def some(at):  # type: (int) -> None
            with zipfile.ZipFile(path) as part:
                for entry in entries[at::count]:
                    if not entry.is_dir():
                        target = part.extract(entry, folder)
                        mode = entry.external_attr >> 16 & 0o777
                        if mode & 0o111:
                            os.chmod(target, mode)

        with ThreadPoolExecutor(count) as pool:
            list(pool.map(some, range(count)))
    except zipfile.BadZipFile as error:
        raise Failed(f"the bundle is no zip file: {error}") from None
    except OSError as error:
        raise Failed(f"the bundle cannot be unpacked into {folder}: {error.strerror or error}") from None


def main():  # type: () -> NoReturn
    import tempfile

    folder = tempfile.mkdtemp(prefix="trowel-")
    path = os.path.join(folder, "bundle.zip")
    fetch(path)
    unpack(path, folder)
    os.unlink(path)
    packages = os.path.join(folder, "site-packages")
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [packages, os.environ.get("PYTHONPATH")]))
    os.chdir(folder)
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-m", "trowel_task", "fargate"])


if __name__ == "__main__":
    try:
        if sys.version_info < (3, 9):  # noqa: UP036
            raise Failed("the image's Python is older than 3.9")
        main()
    except Failed as error:
        print(f"trowel: {error}", flush=True)
        sys.exit(error.code)
    except Exception as error:
        print(f"trowel: the container could not be set up: {type(error).__name__}: {error}", flush=True)
        sys.exit(TEMPORARY)
