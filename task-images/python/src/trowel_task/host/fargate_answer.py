"""What a container says to AWS: heartbeats and the result for the state that waits, questions to the `evaluate` function."""

from __future__ import annotations

import json
import os
import time

from trowel_task.aws import connections, remote, services
from trowel_task.contract import wire
from trowel_task.contract.errors import FAILED, TaskError, shorten
from trowel_task.store import results
from trowel_task.system import digests

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# Bytes that a state takes, and characters of a failure's cause (32,768; some are left free).
_OUTPUT = 262_144
_CAUSE = 32_000
# Seconds for which a call is repeated that fails for a passing reason.
_PATIENCE = 90.0
_TIMEOUT = 10.0
_GONE = ("TaskTimedOut", "TaskDoesNotExist", "InvalidToken")
_FOR_GOOD = ("AccessDeniedException", "InvalidOutput", "ValidationException", "UnrecognizedClientException")


class State:
    """The state of an execution that waits for this task. `waits` becomes false when a call shows that it does no more."""

    def __init__(self, token: str) -> None:
        self._token = token
        self.waits = True

    def begin(self) -> bool:
        """The first heartbeat. Raises what keeps it from being sent."""
        self._call("SendTaskHeartbeat", {})
        return self.waits

    def beat(self) -> bool:
        """A later one: a fault that may pass is left to the next."""
        try:
            self._send("SendTaskHeartbeat", {})
        except Exception as error:
            if remote.code_of(error) in _GONE:
                self.waits = False
        return self.waits

    def answer(self, result: dict[str, Any], assignment: dict[str, Any]) -> bool:
        """Sends the result; returns whether it is a success. Raises what keeps it from being sent."""
        if result["ok"]:
            output = wire.dumps({key: result[key] for key in ("s", "stored") if key in result})
            if len(output) <= _OUTPUT:
                self._call("SendTaskSuccess", {"output": output.decode("utf-8")})
                return True
            results.forget(assignment.get("result") or "")
            text = f"what is stored has {len(output)} bytes in too many small values: a state takes {_OUTPUT}. Store fewer, larger values"
            result = {"ok": False, "error": TaskError(FAILED, text).to_json()}
        error = result["error"]
        cause = cause_of(error, assignment)
        self._call("SendTaskFailure", {"error": error["name"][:256], "cause": cause})
        return False

    def _send(self, action: str, content: dict[str, str]) -> None:
        # A heartbeat blocks the loop, so it does not try long: another follows.
        services.step_functions(action, {"taskToken": self._token, **content}, attempts=1, timeout=_TIMEOUT)

    def _call(self, action: str, content: dict[str, str]) -> None:
        """Returns when the call has succeeded, or when no state waits for it any more."""
        until, pause = time.monotonic() + _PATIENCE, 0.5
        while True:
            try:
                self._send(action, content)
                return
            except Exception as error:
                code = remote.code_of(error)
                if code in _GONE:
                    self.waits = False
                    return
                if code in _FOR_GOOD or time.monotonic() + pause > until:
                    raise
            time.sleep(pause)
            pause = min(pause * 2, 10.0)


def cause_of(error: dict[str, Any], assignment: dict[str, Any]) -> str:
    """JSON of a Failure (lib/contract/payload.ts). The whole traceback is in the value store, at `traceback`."""
    failure = {"message": error["message"], "task": assignment.get("task") or ""}
    if "exit" in error:
        failure["exit"] = error["exit"]
    stack = error.get("stacktrace")
    if stack:
        failure["stacktrace"] = stack
        kept = _keep(stack, assignment.get("root"))
        if kept:
            failure["traceback"] = kept
    log = log_link()
    if log:
        failure["log"] = log
    limit = 16_000
    text = json.dumps(failure, ensure_ascii=False)
    while _length(text) > _CAUSE:
        failure["message"] = shorten(error["message"], limit)
        if stack:
            failure["stacktrace"] = stack[-limit:]
        text, limit = json.dumps(failure, ensure_ascii=False), limit // 2
    return text


def _length(text: str) -> int:
    """In UTF-16 code units, as a service written in Java counts: beyond the Basic Multilingual Plane a character has two."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _keep(stack: str, root: str | None) -> str | None:
    if not root or not remote.is_remote(root):
        return None
    data = stack.encode("utf-8", "replace")
    uri = f"{root}/values/{digests.of(data)}.traceback.txt"
    try:
        remote.save(uri, data)
    except Exception:
        return None  # the log has it
    return uri


def log_link() -> str | None:
    """This container's log in the console, by ECS's metadata endpoint; None outside of ECS."""
    base = os.environ.get("ECS_CONTAINER_METADATA_URI_V4")
    if not base:
        return None
    from urllib.parse import quote, urlsplit

    parts = urlsplit(base)
    try:
        with connections.lend(parts.scheme, parts.netloc, 2.0) as connection:
            options = json.load(connection.ask("GET", parts.path, None, {}))["LogOptions"]
        region, group, stream = (options[f"awslogs-{name}"] for name in ("region", "group", "stream"))
    except Exception:
        return None  # the failure is sent without it

    def twice(text: str) -> str:
        return quote(quote(text, safe=""), safe="").replace("%", "$")

    host = "console.amazonaws.cn" if region.startswith("cn-") else f"{region}.console.aws.amazon.com"
    return f"https://{host}/cloudwatch/home?region={region}#logsV2:log-groups/log-group/{twice(group)}/log-events/{twice(stream)}"


def invoke(function: str, payload: dict[str, Any]) -> dict[str, Any]:
    """Calls a function: {"ok": …} or {"error": {name, message}}. Raises what keeps it from being called."""
    succeeded, said = services.invoke(function, payload)
    if not succeeded:
        return {"error": {"name": said.get("errorType") or FAILED, "message": said.get("errorMessage") or "the function failed"}}
    return {"ok": said}
