"""One `start` message: the process of the task, then those of its subtasks, then its one result."""

from __future__ import annotations

import signal
import time

from trowel_task.contract.assignment import Job
from trowel_task.contract.errors import FAILED, OUT_OF_MEMORY, TIMEOUT, TaskError
from trowel_task.contract.masks import masker_of
from trowel_task.host.logs import LineSplitter
from trowel_task.host.process import Process
from trowel_task.store import results
from trowel_task.subtasks.routines import PENDING, Routine

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any, Protocol

    from trowel_task.contract.assignment import Assignment
    from trowel_task.host.loop import Loop
    from trowel_task.host.reports import Reports
    from trowel_task.subtasks.routines import Steps

    class Worker(Protocol):
        """What a task needs of its worker."""

        loop: Loop
        host: Any
        project: str
        limit: int
        more_memory: str
        tasks: dict[str, Task]

        def launch(self, started: Process) -> None: ...
        def discard(self, folder: str, over: bool) -> None: ...


# Processes of one task's parallel subtasks at a time.
MOST = 64
FEWER = "tasks that run at the same time share this machine's memory, and `_parallel: {limit: 4}` lets fewer run at once"
# Seconds between SIGTERM and SIGKILL.
GRACE = 5.0


class Task:
    def __init__(
        self,
        worker: Worker,
        id: str,
        assignment: Assignment,
        secrets: dict[str, str],
        debug: dict[str, Any] | None = None,
        hide: Iterable[str] = (),
    ) -> None:
        """`hide`: values of other tasks' secrets, which may come with what those have stored."""
        self.worker = worker
        self.id = id
        self.assignment = assignment
        self.secrets = secrets
        self.debug = debug
        self.masker = masker_of([*secrets.values(), *hide])
        self.began = time.monotonic()
        self.leaves: set[Process] = set()
        self._reports: Reports | None = None
        self._asked: set[Process] = set()  # leaves that were asked to end
        self.reason: TaskError | None = None  # why it is being ended
        self._queue: list[tuple[Any, Routine]] = []
        self._calls: dict[int, Routine] = {}
        self._called = 0
        self._over = False

    def begin(self) -> None:
        if self.assignment.timeout and not self.debug:
            limit = self.assignment.timeout
            late = TaskError(TIMEOUT, f"Task timed out after {limit:.12g}s", task=self.assignment.task)
            self._timer = self.worker.loop.later(limit, lambda: self.end(late, GRACE))
        self._main = Routine(self._steps(), self._perform)
        self._main.then.append(self._finish)
        self._main.resume()

    def _steps(self) -> Steps:
        outcome = yield self._job(self.assignment, "task")
        if "result" in outcome:
            return outcome["result"]
        from trowel_task.contract.merge import deep_merge
        from trowel_task.subtasks.subtasks import Subtasks

        ran = outcome["ran"]
        stored, failed = yield from Subtasks(self.assignment).run(ran)
        if failed is not None:
            raise failed
        # In a process of its own, since merging may read large values.
        final = yield self._job(self.assignment, "finish", {**ran, "store": deep_merge(ran["store"], stored)})
        return final["result"]

    def _job(self, assignment: Assignment, purpose: str, ran: dict[str, Any] | None = None) -> Job:
        return Job(
            assignment if purpose != "finish" else assignment.derived(),
            project=self.worker.project,
            secrets=self.secrets,
            began=self.began,
            purpose=purpose,
            ran=ran,
            debug=self.debug if purpose == "task" else None,
        )

    # Effects of routines

    def _perform(self, effect: Any, routine: Routine) -> Any:
        if isinstance(effect, Job):
            return self._launch(effect, routine, None, None)
        from trowel_task.subtasks import subtasks

        if isinstance(effect, subtasks.Run):
            if len(self.leaves) >= MOST:
                self._queue.append((effect, routine))
                return PENDING
            job = self._job(effect.assignment, "subtask")
            return self._launch(job, routine, effect.assignment.task, effect.timeout)
        if isinstance(effect, subtasks.Call):
            self._called += 1
            self._calls[self._called] = routine
            self._send("call", call=self._called, fn=effect.fn, payload=effect.payload)
            return PENDING
        if isinstance(effect, subtasks.Sleep):
            self.worker.loop.later(effect.seconds, lambda: self._resume(routine, None))
            return PENDING
        if isinstance(effect, subtasks.Log):
            lines = LineSplitter(self.masker, self.worker.limit)
            for text in [*lines.feed(effect.text.encode("utf-8", "replace")), *lines.close()]:
                self._send("log", text=text, task=effect.task)
            return None
        assert isinstance(effect, subtasks.Event)
        more = {"error": effect.error.to_json(self.masker)} if effect.error else {}
        self._send("event", task=effect.task, state=effect.state, operator=effect.operator, **more)
        return None

    def _resume(self, routine: Routine, value: Any, error: TaskError | None = None) -> None:
        if not self._over and self.reason is None:
            routine.resume(value, error)

    def _launch(self, job: Job, routine: Routine, name: str | None, timeout: float | None) -> Any:
        late: list[TaskError] = []
        more = {"task": name} if name else {}

        def done(outcome: dict[str, Any]) -> None:
            if timer:
                timer.cancel()
            self.leaves.discard(leaf)
            if not outcome["ok"] or late:
                self._resume(routine, None, late[0] if late else TaskError.from_outcome(outcome))
            else:
                self._resume(routine, outcome["ran"] if name else outcome)
            while self._queue and len(self.leaves) < MOST and self.reason is None:
                effect, waiting = self._queue.pop(0)
                try:
                    self._perform(effect, waiting)
                except TaskError as error:
                    self._resume(waiting, None, error)
            self._finish()
            self.worker.discard(job.scratch, leaf.over)  # while the host does something with the result

        def expire() -> None:
            late.append(TaskError(TIMEOUT, f"Task timed out after {timeout:.12g}s", task=name))
            self._stop(leaf, GRACE)

        leaf = Process(
            self.worker.loop,
            job,
            LineSplitter(self.masker, self.worker.limit),
            lambda text: self._send("log", text=text, **more),
            self._report,
            done,
        )
        try:
            self.worker.launch(leaf)
        except OSError as error:
            raise TaskError(FAILED, f"Cannot start a process for the task: {error.strerror}") from None
        timer = self.worker.loop.later(timeout, expire) if timeout else None
        self.leaves.add(leaf)
        self._send("started", pid=leaf.pid)
        return PENDING

    def _report(self, text: bytes) -> None:
        if self._reports is None:
            from trowel_task.host.reports import Reports

            self._reports = Reports(self.masker, lambda report: self._send("report", **report), lambda text: self._send("log", text=text))
        self._reports.take(text)

    def reply(self, message: dict[str, Any]) -> None:
        routine = self._calls.pop(int(message.get("call") or 0), None)
        if routine is None:
            return
        error = message.get("error")
        self._resume(routine, message.get("ok"), TaskError.from_json(error) if isinstance(error, dict) else None)

    # The end

    def end(self, reason: TaskError, grace: float) -> None:
        """SIGTERM, then, after `grace` seconds, SIGKILL."""
        if self.reason is None:
            self.reason = reason
        for leaf in list(self.leaves):
            self._stop(leaf, grace)
        self._finish()

    def _stop(self, leaf: Process, grace: float) -> None:
        # Only once: a second SIGTERM would end what a script's trap has started to clean up.
        if leaf not in self._asked:
            self._asked.add(leaf)
            leaf.signal(signal.SIGTERM)
            leaf.signal(signal.SIGCONT)
        self.worker.loop.later(grace, lambda: leaf.signal(signal.SIGKILL) if leaf in self.leaves else None)

    def _finish(self) -> None:
        if self._over or self.leaves or not (self._main.ended or self.reason):
            return
        self._over = True
        if self.assignment.timeout and not self.debug:
            self._timer.cancel()
        error = self.reason or self._main.error
        if error and error.memory:
            error.message = error.message.replace(OUT_OF_MEMORY, self._more_memory())
        if error and self.assignment.result:
            results.forget(self.assignment.result)  # it succeeded too late, or died before it could report
        if self._reports:
            self._reports.close()
        result = {"ok": False, "error": error.to_json(self.masker)} if error else self._main.value
        self.worker.host.send(result_message(self.id, result, round(time.monotonic() - self.began, 6)))
        del self.worker.tasks[self.id]

    def _more_memory(self) -> str:
        # `shares` says that it is one of several branches or iterations.
        advice = self.worker.more_memory or (FEWER if self.assignment.shares else "")
        return f"{OUT_OF_MEMORY}: {advice}" if advice else OUT_OF_MEMORY

    def _send(self, type: str, /, **fields: Any) -> None:
        self.worker.host.send({"type": type, "id": self.id, **fields})


def result_message(id: str, result: dict[str, Any], seconds: float) -> dict[str, Any]:
    return {"type": "result", "id": id, "result": result, "seconds": seconds}
