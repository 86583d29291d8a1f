"""The command of a container: fetches the project's bundle from S3, unpacks it, and becomes `python -m trowel_task fargate`.

Runs in a stock Python image (3.9 or newer), as `python -c`, with nothing but the standard library; one file, for it is part of the task
definition. Reads TROWEL_BUNDLE (s3://bucket/key), TROWEL_BUNDLE_SHA256, AWS_REGION and the container's credentials
(AWS_CONTAINER_CREDENTIALS_RELATIVE_URI, …_FULL_URI, or AWS_ACCESS_KEY_ID); AWS_ENDPOINT_URL_S3 and AWS_ENDPOINT_URL as the SDKs do.
Says what is wrong in one line and exits with 78 (EX_CONFIG: no further try would change it) or 75 (EX_TEMPFAIL).
"""

import datetime
import hashlib
import hmac
import json
import os
import sys
import tempfile
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPException
from urllib.error import HTTPError
from urllib.parse import quote, urlsplit
from urllib.request import ProxyHandler, Request, build_opener, urlopen

CONFIG, TEMPORARY = 78, 75
TRIES = 5
BLOCK = 1 << 20


class Failed(Exception):
    def __init__(self, message, code=CONFIG):
        super().__init__(message)
        self.code = code


def need(name):
    value = os.environ.get(name)
    if not value:
        raise Failed(f"the variable {name} is not set")
    return value


def again(what, act):
    """The network and servers may fail; what a server refuses it will refuse again."""
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


def credentials():
    relative, full = os.environ.get("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"), os.environ.get("AWS_CONTAINER_CREDENTIALS_FULL_URI")
    if not relative and not full:
        return need("AWS_ACCESS_KEY_ID"), need("AWS_SECRET_ACCESS_KEY"), os.environ.get("AWS_SESSION_TOKEN")
    headers = {}
    token = os.environ.get("AWS_CONTAINER_AUTHORIZATION_TOKEN")
    if token:
        headers["Authorization"] = token
    request = Request("http://169.254.170.2" + relative if relative else full, headers=headers)
    opener = build_opener(ProxyHandler({}))  # an address of this host: no proxy knows it

    def ask():
        with opener.open(request, timeout=5) as answer:
            return json.load(answer)

    try:
        given = again("the container's credentials cannot be read", ask)
        return given["AccessKeyId"], given["SecretAccessKey"], given.get("Token")
    except (ValueError, KeyError, TypeError):
        raise Failed("the container's credentials are not what was expected") from None


def address(bucket, key, region):
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    path = quote(key, safe="/-_.~")
    if endpoint:
        return f"{endpoint.rstrip('/')}/{bucket}/{path}"
    host = f"s3.{region}.amazonaws.com" + (".cn" if region.startswith("cn-") else "")
    # A certificate of *.s3… holds for names without dots alone.
    return f"https://{host}/{bucket}/{path}" if "." in bucket else f"https://{bucket}.{host}/{path}"


def signed(url, region, access, secret, token, now=None):
    """A GET request with Signature Version 4."""
    parts = urlsplit(url)
    stamp = (now or datetime.datetime.now(datetime.timezone.utc)).strftime("%Y%m%dT%H%M%SZ")
    empty = hashlib.sha256(b"").hexdigest()
    headers = {"host": parts.netloc, "x-amz-content-sha256": empty, "x-amz-date": stamp}
    if token:
        headers["x-amz-security-token"] = token
    names = ";".join(sorted(headers))
    lines = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers))
    canonical = f"GET\n{parts.path}\n{parts.query}\n{lines}\n{names}\n{empty}"
    scope = f"{stamp[:8]}/{region}/s3/aws4_request"
    text = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    key = f"AWS4{secret}".encode()
    for part in (*scope.split("/"), text):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    headers["authorization"] = f"AWS4-HMAC-SHA256 Credential={access}/{scope}, SignedHeaders={names}, Signature={key.hex()}"
    return Request(url, headers=headers)


def fetch(path):
    bundle, expected, region = need("TROWEL_BUNDLE"), need("TROWEL_BUNDLE_SHA256"), need("AWS_REGION")
    bucket, _, key = bundle[len("s3://") :].partition("/")
    if not bundle.startswith("s3://") or not bucket or not key:
        raise Failed(f"TROWEL_BUNDLE is not s3://bucket/key but {bundle}")
    keys = credentials()

    def load():
        digest = hashlib.sha256()
        with urlopen(signed(address(bucket, key, region), region, *keys), timeout=30) as answer, open(path, "wb") as file:
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


def unpack(path, folder):
    """Several files at a time: inflating and writing need no interpreter lock."""
    try:
        with zipfile.ZipFile(path) as bundle:
            entries = bundle.infolist()
        for name in {os.path.dirname(entry.filename) for entry in entries}:
            if os.path.isabs(name) or ".." in name.split("/"):
                raise Failed(f"the bundle has a file outside of it: {name}")
            os.makedirs(os.path.join(folder, name), exist_ok=True)
        count = min(4, (os.cpu_count() or 1) + 1)

        def some(at):
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


def main():
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
