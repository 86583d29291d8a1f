"""The bootstrap as the container runs it: `python -c` in an empty folder, the bundle in moto's S3."""

from __future__ import annotations

import hashlib
import io
import os
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest
from conftest import SOURCE
from small_aws import BUCKET

from trowel_task.aws import bootstrap

BOOTSTRAP = (SOURCE / "trowel_task" / "aws" / "bootstrap.py").read_text()
ECHO = "import os, sys\nprint(sys.argv[1:], sorted(os.listdir('.')), os.environ['PYTHONPATH'].endswith('site-packages'))\n"


def bundle(files: dict, compress=zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compress, compresslevel=6 if compress else None) as made:
        for name, content in {"trowel_task/__init__.py": "", "trowel_task/__main__.py": ECHO, **files}.items():
            made.writestr(name, content)
    return out.getvalue()


@pytest.fixture
def boot(aws, tmp_path):
    """Runs it; with `data` put as the bundle."""

    def run(data: bytes | None = None, program: str = BOOTSTRAP, **env):
        if data is not None:
            aws.put("bundles/x y.zip", data)
        given = {
            **aws.env,
            "TROWEL_BUNDLE": f"s3://{BUCKET}/bundles/x y.zip",
            "TROWEL_BUNDLE_SHA256": hashlib.sha256(data or b"").hexdigest(),
            **env,
        }
        command = [sys.executable, "-I", "-c", program]
        return subprocess.run(command, cwd=tmp_path, env={k: v for k, v in given.items() if v}, capture_output=True, text=True, timeout=60)

    return run


def test_it_becomes_the_runner(boot):
    done = boot(bundle({"project/main.py": "", "site-packages/x.py": ""}))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "['fargate'] ['project', 'site-packages', 'trowel_task'] True\n"


def test_programs_stay_executable(boot, aws):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        made.writestr("trowel_task/__init__.py", "")
        made.writestr("trowel_task/__main__.py", "import subprocess\nprint(subprocess.check_output(['./project/run.sh'], text=True))\n")
        entry = zipfile.ZipInfo("project/run.sh")
        entry.external_attr = 0o755 << 16
        made.writestr(entry, "#!/bin/sh\necho ran")
    assert boot(out.getvalue()).stdout == "ran\n\n"


def test_credentials_of_the_container(boot, aws):
    aws.pages["/creds"] = (200, {"AccessKeyId": "A", "SecretAccessKey": "S", "Token": "T"})
    none = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}
    done = boot(bundle({}), AWS_CONTAINER_CREDENTIALS_FULL_URI=f"{aws.played}/creds", **none)
    assert done.returncode == 0, done.stdout


def botocores(method, url, service, keys, body, stamp, headers):
    from botocore.auth import S3SigV4Auth, SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials

    request = AWSRequest(method=method, url=url, data=body)
    request.context["timestamp"] = stamp
    given = {**headers, "X-Amz-Date": stamp, "X-Amz-Content-SHA256": hashlib.sha256(body).hexdigest()}
    for name, value in {**given, **({"X-Amz-Security-Token": keys.token} if keys.token else {})}.items():
        request.headers[name] = value
    auth = (S3SigV4Auth if service == "s3" else SigV4Auth)(Credentials(keys.access, keys.secret, keys.token), service, "eu-west-1")
    return auth.signature(auth.string_to_sign(request, auth.canonical_request(request)), request)


@pytest.mark.parametrize(
    ("method", "url", "service", "token"),
    [
        ("GET", "https://bucket.s3.eu-west-1.amazonaws.com/bundles/a%20b%2Bc.zip", "s3", "token"),
        ("PUT", "http://localhost:5000/bucket/results/%2Bmain%3D/0.json", "s3", None),
        ("POST", "https://states.eu-west-1.amazonaws.com/", "states", "token"),
        ("POST", "https://lambda.eu-west-1.amazonaws.com/2015-03-31/functions/arn%3Aaws%3Alambda%3Ax/invocations", "lambda", None),
    ],
)
def test_signatures_are_botocores(method, url, service, token):
    keys = bootstrap.Keys("AKID", "secret", token)
    body = b"" if method == "GET" else b'{"a": 1}'
    headers = {"content-type": "application/x-amz-json-1.0", "x-amz-target": "AWSStepFunctions.X"} if method == "POST" else {}
    stamp = "20300131T070809Z"
    ours = bootstrap.signed(method, url, service, "eu-west-1", keys, hashlib.sha256(body).hexdigest(), headers, stamp)
    theirs = botocores(method, url, service, keys, body, stamp, headers)
    assert ours["authorization"].endswith(f"Signature={theirs}")
    assert ours["authorization"].startswith(f"AWS4-HMAC-SHA256 Credential=AKID/20300131/eu-west-1/{service}/aws4_request, ")


@pytest.mark.parametrize(
    ("bucket", "region", "start"),
    [
        ("a.b", "us-east-1", "https://s3.us-east-1.amazonaws.com/a.b/"),
        ("ab", "cn-north-1", "https://ab.s3.cn-north-1.amazonaws.com.cn/"),
        ("ab", "eu-west-1", "https://ab.s3.eu-west-1.amazonaws.com/"),
    ],
)
def test_addresses(bucket, region, start):
    assert bootstrap.address(bucket, "k", region, {}) == f"{start}k"


@pytest.mark.parametrize(
    ("env", "code", "said"),
    [
        ({"TROWEL_BUNDLE": ""}, 78, "the variable TROWEL_BUNDLE is not set"),
        ({"TROWEL_BUNDLE": "https://x/y"}, 78, "TROWEL_BUNDLE is not s3://bucket/key but https://x/y"),
        ({"TROWEL_BUNDLE": f"s3://{BUCKET}/none.zip"}, 78, f"the bundle s3://{BUCKET}/none.zip cannot be fetched: 404 NoSuchKey"),
        ({"TROWEL_BUNDLE_SHA256": "0" * 64}, 78, "is not the one that was deployed: its sha256 is"),
        ({"AWS_ENDPOINT_URL_S3": "http://127.0.0.1:9"}, 75, "cannot be fetched: [Errno 111] Connection refused (5 times)"),
        ({"AWS_ACCESS_KEY_ID": ""}, 78, "the variable AWS_ACCESS_KEY_ID is not set"),
    ],
)
def test_faults_are_one_line(boot, env, code, said):
    hurried = BOOTSTRAP.replace("time.sleep(", "float(")
    assert hurried != BOOTSTRAP
    done = boot(bundle({}), hurried, **env)
    assert (done.returncode, done.stderr, done.stdout.count("\n")) == (code, "", 1)
    assert done.stdout.startswith("trowel: ") and said in done.stdout


def test_no_zip(boot):
    done = boot(b"no zip")
    assert (done.returncode, done.stdout) == (78, "trowel: the bundle is no zip file: File is not a zip file\n")


def test_nothing_is_written_outside(boot):
    done = boot(bundle({"../../evil/x.py": "x"}))
    assert done.returncode == 78 and "a file outside of it: ../../evil" in done.stdout


@pytest.mark.parametrize("version", ["3.9", "3.10", "3.11", "3.12", "3.13"])
def test_every_python(version):
    pythons = list(Path("/root/.pyenv/versions").glob(f"{version}.*/bin/python3")) if os.path.isdir("/root/.pyenv/versions") else []
    if not pythons:
        pytest.skip(f"no Python {version} here")
    done = subprocess.run([pythons[0], "-I", "-W", "error", "-c", BOOTSTRAP], env={}, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (78, "trowel: the variable TROWEL_BUNDLE is not set\n", "")


@pytest.mark.slow
def test_100_megabytes(boot):
    """Fetched and unpacked in under 3 s, of a processor's time: a busy machine gives less of it. Prints what it took."""
    files = {f"site-packages/p{i}/m{j}.so": os.urandom(500_000) + bytes(250_000) for i in range(20) for j in range(11)}
    data = bundle(files)
    began, before = time.monotonic(), os.times()
    done = boot(data)
    seconds, after = time.monotonic() - began, os.times()
    busy = after.children_user + after.children_system - before.children_user - before.children_system
    print(f"{len(data) >> 20} MB zipped, {sum(map(len, files.values())) >> 20} MB unpacked: {seconds:.2f} s, {busy:.2f} s of a processor")
    assert done.returncode == 0 and busy < 3
