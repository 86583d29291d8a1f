"""A small AWS for the tests of a container: S3 is moto's server; Step Functions' three calls with a token and Lambda's invoke are played
here, for moto has no callback tasks and needs Docker for functions."""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from conftest import SOURCE

BUCKET = "trowel-test"
ROOT = f"s3://{BUCKET}/attempts/main/run-1"


class Played(BaseHTTPRequestHandler):
    """Remembers calls. `refuse` maps an action to the codes that its next calls are answered with, None for none."""

    def do_GET(self):
        aws = self.server.aws
        status, body = aws.pages.get(self.path, (404, b"{}"))
        self._say(status, body if isinstance(body, bytes) else json.dumps(body).encode())

    def do_POST(self):
        aws = self.server.aws
        body = json.loads(self.rfile.read(int(self.headers["content-length"])) or b"{}")
        action = self.headers.get("x-amz-target", "Invoke").rpartition(".")[2]
        aws.calls.append((action, body, time.monotonic()))
        if action == "Invoke":
            return self._say(200, json.dumps(aws.evaluate(body)).encode())
        codes = aws.refuse.get(action) or []
        code = codes.pop(0) if codes else None
        if code:
            return self._say(500 if code == "InternalError" else 400, json.dumps({"__type": code, "message": code}).encode())
        return self._say(200, b"{}")

    def _say(self, status, body):
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@functools.lru_cache
def s3_client(moto: str):
    """One for all tests: reading the service's description takes most of a second of a busy processor."""
    import botocore.config
    import botocore.session

    return botocore.session.get_session().create_client(
        "s3",
        endpoint_url=moto,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=botocore.config.Config(signature_version="s3v4"),
    )


# `python -m trowel_task` whose pauses before it asks a service again last no time, and so do those of the task.
HURRIED = "import runpy, time\ntime.sleep = lambda seconds: None\nrunpy.run_module('trowel_task', run_name='__main__')"


class Aws:
    def __init__(self, moto: str, folder: Path):
        self.calls: list = []
        self.refuse: dict = {}
        self.pages: dict = {}
        self.evaluate = lambda payload: {"k": payload["k"]}
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Played)
        self.server.aws = self
        # How often it looks whether it is to end, in seconds.
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()
        self.played = f"http://127.0.0.1:{self.server.server_port}"
        self.env = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "TROWEL_"))},
            "AWS_ENDPOINT_URL": self.played,
            "AWS_ENDPOINT_URL_S3": moto,
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_CONFIG_FILE": "/dev/null",
            "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
            "TMPDIR": str(folder / "tmp"),
        }
        os.mkdir(folder / "tmp")
        self.s3 = s3_client(moto)
        self.s3.create_bucket(Bucket=BUCKET)
        self.bundle = folder / "bundle"
        (self.bundle / "project").mkdir(parents=True)
        (self.bundle / "trowel_task").symlink_to(SOURCE / "trowel_task")

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def file(self, name: str, text: str):
        path = self.bundle / "project" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def adapter(self, name: str, text: str):
        """Adds an adapter to the package of the bundle."""
        package, room = self.bundle / "trowel_task", SOURCE / "trowel_task" / "adapters"
        package.unlink()
        (package / room.name).mkdir(parents=True)
        for folder, entries in ((package, room.parent.iterdir()), (package / room.name, room.iterdir())):
            for entry in entries:
                if entry != room:
                    (folder / entry.name).symlink_to(entry)
        (package / room.name / f"{name}.py").write_text(text)

    def put(self, key: str, data: bytes):
        self.s3.put_object(Bucket=BUCKET, Key=key, Body=data)

    def get(self, uri: str) -> bytes:
        assert uri.startswith(f"s3://{BUCKET}/"), uri
        return self.s3.get_object(Bucket=BUCKET, Key=uri[len(f"s3://{BUCKET}/") :])["Body"].read()

    def keys(self, prefix: str = "attempts/") -> list:
        return [entry["Key"] for entry in self.s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", [])]

    def assign(self, operator: str, command: str, *, params=None, secrets_env=None, evaluate=None, heartbeat=None, **fields) -> str:
        all_params = {f"{operator}>": command, "_type": operator, "_command": command, **(params or {})}
        assignment = {
            "v": 1,
            "task": "+main+a",
            "operator": operator,
            "params": all_params,
            "keys": list(all_params),
            "root": ROOT,
            "result": f"{ROOT}/results/+main+a.0.json",
            **fields,
        }
        file = {"v": 1, "token": "the-token", "assignment": assignment, "secrets_env": secrets_env or {}}
        if evaluate:
            file["evaluate"] = evaluate
        if heartbeat:
            file["heartbeat"] = heartbeat
        self.put("assignments/a.json", json.dumps(file).encode())
        return self.address("assignments/a.json")

    def address(self, key: str) -> str:
        """Signed, as launch gives it."""
        made: str = self.s3.generate_presigned_url("get_object", Params={"Bucket": BUCKET, "Key": key}, ExpiresIn=900)
        return made

    def start(self, pointer: str, python: str = sys.executable, hurried: bool = False, **env) -> subprocess.Popen:
        program = ["-c", HURRIED] if hurried else ["-m", "trowel_task"]
        return subprocess.Popen(
            [python, *program, "fargate"],
            cwd=self.bundle,
            env={**self.env, "TROWEL_ASSIGNMENT": pointer, **env},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, operator: str, command: str, *, env=None, hurried=False, **fields):
        """Exit code, output, and what Step Functions was told last."""
        process = self.start(self.assign(operator, command, **fields), hurried=hurried, **(env or {}))
        output = process.communicate(timeout=60)[0]
        return process.returncode, output, self.answer()

    def answer(self):
        told = [(action, body) for action, body, _ in self.calls if action in ("SendTaskSuccess", "SendTaskFailure")]
        if not told:
            return None
        assert len(told) == 1, told
        action, body = told[0]
        assert body["taskToken"] == "the-token"
        if action == "SendTaskSuccess":
            return json.loads(body["output"])
        return {"error": body["error"], **json.loads(body["cause"]), "length": len(body["cause"].encode("utf-16-le")) // 2}

    def actions(self) -> list:
        return [action for action, *_ in self.calls]
