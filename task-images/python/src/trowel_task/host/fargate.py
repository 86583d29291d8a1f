"""python -m trowel_task fargate: the one task of a container on AWS.

TROWEL_ASSIGNMENT is the signed address of a JSON object in S3: {"v": 1, "token", "assignment", "secrets_env": {key: variable},
"evaluate"?, "heartbeat"?} (lib/contract/assignment-file.ts). Whoever has the address may read it, so it is in no message. The
current folder is the unpacked bundle, the project's files are in its `project`. Output goes to standard output, line by line; the
result goes to the state that waits for the token.

A state that is tried again has another token: the first heartbeat must be accepted before user code runs, and one that is refused later
ends the task. Exit code: 0 (also where nobody waits), 1 for a task that failed or an answer that could not be given, 75 (EX_TEMPFAIL) where
the address is no longer valid, which is a lost task (lib/functions/task-stopped/reasons.ts), 78 (EX_CONFIG) for what no further try would
change.
"""

from __future__ import annotations

import json
import os
import signal
import sys

from trowel_task import PROTOCOL
from trowel_task.aws import bootstrap, connections, remote, services
from trowel_task.contract.errors import FAILED, LOST, TaskError, signal_name
from trowel_task.host import fargate_answer, templates
from trowel_task.host.fargate_reports import ReportObjects
from trowel_task.host.loop import Loop
from trowel_task.host.run import Foreground
from trowel_task.host.task import GRACE
from trowel_task.host.worker import Worker, clean_path
from trowel_task.system import linux
from trowel_task.task import streams

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# Seconds between heartbeats; the state waits 300 of them by default.
HEARTBEAT = 20.0
# Heartbeats within the time that a state waits for one.
BEATS = 4
# Signals that stop a container: SIGTERM, or the STOPSIGNAL of a project's own image.
STOPS = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT)
# Seconds that a task has after one: the container is killed 120 s after it (stopTimeout, lib/cloud/containers.ts), the notice of Spot.
LAST = 90.0
# UTF-8 bytes of a line; CloudWatch takes events of 256 KB, their envelope included.
LINE = 200_000
MISCONFIGURED, EXPIRED = bootstrap.CONFIG, bootstrap.TEMPORARY


class Transport(Foreground):
    """Output goes to the container's log, which takes it line by line; questions go to a function."""

    def __init__(self, evaluate: str | None, reports: ReportObjects | None) -> None:
        """Without `reports` what the task reports is a line in the log, too."""
        super().__init__()
        self._evaluate = evaluate
        self._reports = reports

    def log(self, text: str) -> None:
        sys.stdout.write(text if text.endswith("\n") else text + "\n")
        sys.stdout.flush()

    def report(self, report: dict[str, Any]) -> None:
        if self._reports:
            self._reports.add(report)
        else:
            super().report(report)

    def answer(self, fn: str, payload: dict[str, Any]) -> dict[str, Any]:
        if fn != "evaluate" or not self._evaluate:
            operator = f"{payload.get('op')}>"
            return {"error": {"name": FAILED, "message": f"add_subtask cannot make a task of {operator} on AWS (config)"}}
        try:
            return fargate_answer.invoke(self._evaluate, templates.with_values(payload))
        except Exception as error:
            return {"error": {"name": FAILED, "message": f"the templates of a subtask could not be evaluated: {error}"}}


def say(text: str) -> None:
    sys.stdout.write(f"trowel: {text}\n")
    sys.stdout.flush()


def main() -> int:
    streams.open_streams()
    settings = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith("TROWEL_")}
    try:
        given = read_assignment(settings.get("TROWEL_ASSIGNMENT", ""))
        state = fargate_answer.State(given["token"])
        waiting = state.begin()
    except Refused as error:
        say(str(error))
        return error.exit
    except Exception as error:
        say(f"cannot begin: {type(error).__name__}: {error}")
        return MISCONFIGURED if remote.code_of(error) in ("AccessDenied", "AccessDeniedException", "NoSuchBucket") else 1
    connections.close()
    if not waiting:
        say("nobody waits for this task any more; it is not run")
        return 0
    secrets = {key: settings[name] for key, name in given["secrets_env"].items() if name in settings}
    result = run(given, secrets, state, interval(given, float(settings.get("TROWEL_HEARTBEAT") or HEARTBEAT)))
    if not state.waits:
        say("nobody waits for this task any more; it was ended")
        return 0
    if result.get("returned"):
        say(lost_return(result["returned"]))
    try:
        return 0 if state.answer(result, given["assignment"]) else 1
    except Exception as error:
        say(f"the result could not be told: {type(error).__name__}: {error}")
        return 1


def lost_return(function: str) -> str:
    return f"{function} returns a dict, and a return value goes nowhere. digdag.env.store({{…}}) hands values to the tasks that follow"


class Refused(Exception):
    """No assignment that this runner could take."""

    def __init__(self, message: str, exit: int = MISCONFIGURED) -> None:
        super().__init__(message)
        self.exit = exit


def read_assignment(address: str) -> dict[str, Any]:
    place = address.partition("?")[0]
    if not address.startswith(("https://", "http://")):
        raise Refused(f"TROWEL_ASSIGNMENT is no address: {place!r}")
    try:
        given = json.loads(services.fetch(address))
    except ValueError as error:
        raise Refused(f"the assignment at {place} is no JSON: {error}") from None
    except services.ServiceError as error:
        if error.code == "NoSuchKey":
            raise Refused(f"there is no assignment at {place}") from None
        if error.status >= 500 or error.status == 429:
            raise
        # The address has expired, or the credentials that signed it have ended. What is not allowed is AccessDenied, too.
        allowed = error.code != "AccessDenied" or error.expired
        raise Refused(f"the assignment at {place} cannot be read any more: {error}", EXPIRED if allowed else MISCONFIGURED) from None
    if not isinstance(given, dict) or given.get("v") != PROTOCOL:
        version = given.get("v") if isinstance(given, dict) else None
        raise Refused(f"this runner knows assignments of version {PROTOCOL}, got {version!r}")
    if not isinstance(given.get("token"), str) or not isinstance(given.get("assignment"), dict):
        raise Refused(f"the assignment at {place} has no token or no task")
    return {"secrets_env": {}, **given}


def interval(given: dict[str, Any], most: float) -> float:
    """Seconds between heartbeats. `most`: TROWEL_HEARTBEAT, for tests in which time is faster."""
    silence = given.get("heartbeat")
    return min(most, silence / BEATS) if isinstance(silence, (int, float)) and silence > 0 else most


def run(given: dict[str, Any], secrets: dict[str, str], state: fargate_answer.State, interval: float) -> dict[str, Any]:
    """The result of the task, as in docs/protocol.md."""
    loop = Loop()
    place = given["assignment"].get("reports")
    reports = ReportObjects(place, loop) if isinstance(place, str) else None
    host = Transport(given.get("evaluate"), reports)
    worker = host.worker = Worker(loop, host)
    worker.project = os.path.join(os.getcwd(), "project")
    worker.limit = LINE
    worker.more_memory = "raise task.memory in trowel.yml, or resources.memory of this task"
    clean_path()
    linux.become_subreaper()

    def signalled(number: int) -> None:
        if number in STOPS:
            # A Spot container has two minutes; whoever stops one says no more than this either.
            told = f"the container was told to stop ({signal_name(number)}): Spot took it back, or somebody stopped it"
            worker.stop(LAST, TaskError(LOST, told))
        else:
            worker.signalled(number)

    def beat() -> None:
        if state.beat():
            loop.later(interval, beat)
        else:
            worker.stop(GRACE, TaskError(LOST, "nobody waits for this task any more"))

    loop.signals([signal.SIGCHLD, signal.SIGHUP, *STOPS], signalled)
    loop.later(interval, beat)
    worker.run_one(given["assignment"], secrets)
    if reports:
        reports.close(say)
    return host.result or {"ok": False, "error": TaskError(LOST, "the runner ended without a result").to_json()}
