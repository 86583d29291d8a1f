"""A host that speaks the protocol with a real worker, as lib/local does."""

from __future__ import annotations

import itertools
import json
import os
import queue
import subprocess
import sys
import textwrap
import threading
import time
import urllib.request
from pathlib import Path

import pytest
from hypothesis import settings

# How long one example takes says how busy the machine is. The slow tests run with the profile "thorough".
settings.register_profile("trowel", deadline=None, max_examples=25)
settings.register_profile("thorough", deadline=None, max_examples=300)
settings.load_profile("trowel")

SOURCE = Path(__file__).resolve().parent.parent / "src"
sys.path.insert(0, str(SOURCE))


class Host:
    def __init__(self, project: Path, *, preload=(), spawn=False, hello=True, python=sys.executable, env=None, **popen):
        self.project = project
        self.root = project / ".trowel" / "attempts" / "1"
        self.ids = map(str, itertools.count(1))
        self.messages = []
        self.evaluate = None  # payload -> k
        self._queue: queue.Queue = queue.Queue()
        command = [python, "-m", "trowel_task", "worker", *(["--spawn"] if spawn else [])]
        self.process = subprocess.Popen(
            command, cwd=SOURCE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, **(env or {})}, **popen
        )
        threading.Thread(target=self._read, daemon=True).start()
        if hello:
            self.send(type="hello", v=1, preload=list(preload), cwd=str(project))
            self.ready = self.wait("ready", "fatal")

    def _read(self):
        for line in self.process.stdout:
            self._queue.put(json.loads(line))
        self._queue.put({"type": "end"})

    def send(self, **message):
        self.process.stdin.write(json.dumps(message).encode() + b"\n")
        self.process.stdin.flush()

    def next(self, timeout=30):
        message = self._queue.get(timeout=timeout)
        self.messages.append(message)
        if message["type"] == "call":
            answer = self.evaluate(message) if self.evaluate else {"error": {"name": "X", "message": "no evaluate"}}
            self.send(type="reply", id=message["id"], call=message["call"], **answer)
        return message

    def wait(self, *types, id=None, timeout=30):
        while True:
            message = self.next(timeout)
            if message["type"] in types and id in (None, message.get("id")):
                return message
            if message["type"] in ("end", "fatal"):
                raise AssertionError(f"the worker ended: {self.messages[-5:]}")

    def start(self, operator, command, *, secrets=None, hide=(), debug=None, **fields):
        id = next(self.ids)
        params = {f"{operator}>": command, "_type": operator, "_command": command, **fields.pop("params", {})}
        own = [key for key in params if key not in fields.get("builtins", {}).get("vars", {})]
        assignment = {"v": 1, "task": "+main+a", "operator": operator, "params": params, "keys": own, "root": str(self.root), **fields}
        message = {"type": "start", "id": id, "assignment": assignment, "secrets": secrets or {}, "hide": list(hide)}
        self.send(**message, **({"debug": debug} if debug else {}))
        return id

    def run(self, operator, command, patience=60, **fields):
        """The `result` of a task."""
        id = self.start(operator, command, **fields)
        message = self.wait("result", id=id, timeout=patience)
        return message["result"]

    def py(self, command, **params):
        return self.run("py", command, params=params)

    def log(self, id=None):
        return "".join(m["text"] for m in self.messages if m["type"] == "log" and id in (None, m["id"]))

    def close(self):
        self.process.stdin.close()
        return self.process.wait(20)

    def file(self, name, text):
        path = self.project / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))
        return path


@pytest.fixture(autouse=True)
def own_roots():
    """What one test sets for this process, the next one does not look in."""
    from trowel_task.store import places

    yield
    places.look_in([])


@pytest.fixture
def start_host(tmp_path):
    hosts = []

    def make(**options):
        hosts.append(Host(tmp_path, **options))
        return hosts[-1]

    yield make
    for host in hosts:
        if host.process.poll() is None:
            host.process.stdin.close()
            host.process.wait(20)
        host.process.stdout.close()


@pytest.fixture(params=["fork", "spawn"])
def any_host(request, start_host):
    return start_host(spawn=request.param == "spawn")


@pytest.fixture
def host(start_host):
    return start_host()


def alive(pid):
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        return state != "Z"
    except OSError:
        return False


def gone(pid, seconds=5):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not alive(pid):
            return True
        time.sleep(0.02)
    return False


@pytest.fixture(scope="session")
def moto():
    server = pytest.importorskip("moto.server").ThreadedMotoServer(port=0, verbose=False)
    server.start()
    _, port = server.get_host_and_port()
    yield f"http://127.0.0.1:{port}"
    server.stop()


@pytest.fixture
def aws(moto, tmp_path):
    """A small AWS (small_aws.py), empty."""
    from small_aws import Aws

    urllib.request.urlopen(urllib.request.Request(f"{moto}/moto-api/reset", method="POST")).read()
    made = Aws(moto, tmp_path)
    yield made
    made.close()
