"""python -m trowel_task run FILE: one assignment in the foreground. Output goes to standard error, the result, one JSON line, to
standard output. FILE holds an assignment, or {"assignment": …, "secrets": {key: value}, "secrets_env": {key: variable}}: the named
variables are taken out of the environment before user code runs."""

from __future__ import annotations

import json
import os
import signal
import sys
from functools import partial

from trowel_task.contract.errors import FAILED
from trowel_task.host.loop import Loop
from trowel_task.host.task import GRACE
from trowel_task.host.worker import Worker, clean_path
from trowel_task.system import linux
from trowel_task.task import streams

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Foreground:
    """The transport of a single task, with which its worker ends."""

    full = False

    def __init__(self) -> None:
        self.worker: Worker | None = None
        self.result: dict[str, Any] | None = None

    def send(self, message: dict[str, Any]) -> None:
        kind = message["type"]
        if kind == "log":
            self.log(message["text"])
        elif kind == "report":
            self.report({name: value for name, value in message.items() if name not in ("type", "id")})
        elif kind == "call" and self.worker:
            answer = {"id": message["id"], "call": message["call"], **self.answer(message["fn"], message["payload"])}
            self.worker.loop.later(0, partial(self.worker.on_reply, answer))
        elif kind == "result":
            self.result = message["result"]
            if self.worker:
                self.worker.ended = True

    def log(self, text: str) -> None:
        sys.stderr.write(text)
        sys.stderr.flush()

    def report(self, report: dict[str, Any]) -> None:
        self.log(f"report  {report['kind']} ({report['level']}): {json.dumps(report['data'])}\n")

    def answer(self, fn: str, payload: dict[str, Any]) -> dict[str, Any]:
        """To a question about dynamic subtasks: {"ok": …} or {"error": {name, message}}."""
        return {"error": {"name": FAILED, "message": f"'{fn}' needs a host"}}


def main(path: str) -> int:
    with open(path, encoding="utf-8") as file:
        given = json.load(file)
    if "assignment" not in given:
        given = {"assignment": given}
    secrets = dict(given.get("secrets") or {})
    for key, name in (given.get("secrets_env") or {}).items():
        if name in os.environ:
            secrets[key] = os.environ.pop(name)
    for name in [name for name in os.environ if name.startswith("TROWEL_")]:
        del os.environ[name]
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    streams.open_streams()
    clean_path()
    linux.become_subreaper()
    loop = Loop()
    host = Foreground()
    worker = host.worker = Worker(loop, host)

    def signalled(number: int) -> None:
        if number == signal.SIGINT:
            worker.stop(GRACE)
        worker.signalled(number)

    loop.signals([signal.SIGCHLD, signal.SIGTERM, signal.SIGHUP, signal.SIGINT], signalled)
    worker.run_one(given["assignment"], secrets)
    with out:
        out.write(json.dumps(host.result) + "\n")
    return 0 if host.result and host.result["ok"] else 1
