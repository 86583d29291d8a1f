"""The worker: starts tasks for a host that speaks docs/protocol.md, relays their output and results. `Host` is the transport."""

from __future__ import annotations

import json
import os
import platform
import signal
import sys
import time

from trowel_task import PROTOCOL, linux, process
from trowel_task.assignment import Assignment, Job
from trowel_task.errors import BAD_INPUT, FAILED, TIMEOUT, TaskError
from trowel_task.logs import LIMIT, LineSplitter
from trowel_task.loop import READ, WRITE, Loop
from trowel_task.masks import Masker
from trowel_task.process import Process
from trowel_task.routines import PENDING, Routine

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trowel_task.routines import Steps

# Bytes waiting for the host. Above HIGH no more output is read from tasks, until it is below LOW.
HIGH = 1 << 20
LOW = 1 << 18
# Processes of one task's parallel subtasks at a time.
MOST = 64
# Seconds.
GRACE = 5.0
GRACE_WITHOUT_HOST = 1.0


class Host:
    """JSON lines on two descriptors. Reads always, writes when the host reads."""

    def __init__(self, loop: Loop, read: int, write: int) -> None:
        self._loop = loop
        self._read = read
        self._write = write
        self._buffer = b""
        self._out: list[bytes] = []
        self._size = 0
        self.full = False
        self.gone = False
        os.set_blocking(write, False)

    def serve(self, worker: Worker) -> None:
        self._worker = worker
        self._loop.watch(self._read, READ, self._readable)

    def send(self, message: dict[str, Any]) -> None:
        if self.gone:
            return
        data = json.dumps(message, separators=(",", ":")).encode("ascii") + b"\n"
        if not self._out:
            self._loop.watch(self._write, WRITE, self._writable)
        self._out.append(data)
        self._size += len(data)
        if len(self._out) == 1:
            self._writable()
        if self._size > HIGH and not self.full:
            self.full = True
            self._worker.throttle(True)

    def _writable(self) -> None:
        try:
            while self._out:
                sent = os.write(self._write, self._out[0])
                self._size -= sent
                if sent < len(self._out[0]):
                    self._out[0] = self._out[0][sent:]
                else:
                    del self._out[0]
        except BlockingIOError:
            pass
        except OSError:
            self._lost()
            return
        if not self._out:
            self._loop.unwatch(self._write)
        if self.full and self._size < LOW:
            self.full = False
            self._worker.throttle(False)

    def _readable(self) -> None:
        try:
            data = os.read(self._read, 1 << 20)
        except OSError:
            data = b""
        if not data:
            self._loop.unwatch(self._read)
            self._worker.stop(GRACE_WITHOUT_HOST)
            return
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        for line in lines:
            if line.strip():
                self._worker.receive(line)

    def _lost(self) -> None:
        self.gone = True
        self._out.clear()
        self._size = 0
        self._loop.unwatch(self._write)
        if self.full:
            self.full = False
            self._worker.throttle(False)
        self._worker.stop(GRACE_WITHOUT_HOST)

    def drain(self, seconds: float) -> None:
        """What is left to say, when the worker ends."""
        deadline = time.monotonic() + seconds
        while self._out and not self.gone and time.monotonic() < deadline:
            timer = self._loop.later(0.05, lambda: None)
            self._loop.once()
            timer.cancel()


class Worker:
    def __init__(self, loop: Loop, host: Any, spawn: bool = False) -> None:
        self.loop = loop
        self.host = host
        self.spawn = spawn or not hasattr(os, "fork")
        self.tasks: dict[str, Task] = {}
        self.processes: dict[int, Process] = {}
        self.project = os.getcwd()
        self.limit = LIMIT
        self.ended = False
        self.code = 0
        self._known: set[int] = set()  # children that are no tasks: those of preloaded modules, cleaners
        self._scratch = ""
        self._serial = 0
        self._greeted = False

    # Messages

    def receive(self, line: bytes) -> None:
        try:
            message = json.loads(line)
            kind = message["type"]
        except (ValueError, KeyError, TypeError):
            return self.fatal(f"expected a JSON object with a 'type' on a line, got {line[:80]!r}")
        if not self._greeted and kind != "hello":
            return self.fatal(f"expected 'hello' as the first message, got '{kind}'")
        handler = getattr(self, f"_on_{kind}", None) if isinstance(kind, str) and kind.isalpha() else None
        if handler is None:
            return self.fatal(f"unknown message type {kind!r}; this runner speaks version {PROTOCOL} of the protocol")
        try:
            handler(message)
        except (KeyError, TypeError, AttributeError) as error:
            self.fatal(f"a '{kind}' message is malformed: {type(error).__name__} {error}")
        return None

    def _on_hello(self, message: dict[str, Any]) -> None:
        if message.get("v") != PROTOCOL:
            return self.fatal(f"this runner speaks version {PROTOCOL} of the protocol, the host speaks {message.get('v')!r}")
        self._greeted = True
        self.project = os.path.abspath(message.get("cwd") or os.getcwd())
        self.limit = int(message.get("max_log_line") or LIMIT)
        clean_path()
        modules = message.get("preload") or []
        if modules:
            sys.path.append(self.project)
            for module in modules:
                try:
                    __import__(module)
                except BaseException as error:
                    return self.fatal(f"preload: cannot import '{module}': {type(error).__name__}: {error}")
            sys.path.remove(self.project)
        self.host.send({"type": "ready", "v": PROTOCOL, "python": platform.python_version(), "pid": os.getpid()})
        # After it has said so: what costs time and is not needed to say it.
        linux.become_subreaper()
        if modules:
            self._known = set(linux.children())
        import gc
        import hashlib  # noqa: F401

        gc.collect()
        gc.freeze()  # children share these pages as long as nobody touches them
        return None

    def _on_start(self, message: dict[str, Any]) -> None:
        id = str(message["id"])
        if self.ended or id in self.tasks:
            return self.fatal(f"the id '{id}' is in use") if not self.ended else None
        secrets = {str(key): str(value) for key, value in (message.get("secrets") or {}).items()}
        try:
            task = Task(self, id, Assignment(message["assignment"]), secrets, message.get("debug"))
        except TaskError as error:
            self.host.send(result_message(id, {"ok": False, "error": error.to_json()}, 0.0))
            return None
        self.tasks[id] = task
        task.begin()
        return None

    def _on_kill(self, message: dict[str, Any]) -> None:
        task = self.tasks.get(str(message["id"]))
        if task:
            task.end(TaskError(FAILED, "the task was stopped"), float(message.get("grace", GRACE)))

    def _on_reply(self, message: dict[str, Any]) -> None:
        task = self.tasks.get(str(message["id"]))
        if task:
            task.reply(message)

    def _on_stop(self, message: dict[str, Any]) -> None:
        self.stop(float(message.get("grace", GRACE)))

    def fatal(self, message: str) -> None:
        self.host.send({"type": "fatal", "message": message})
        self.code = 1
        self.stop(GRACE_WITHOUT_HOST)

    def stop(self, grace: float) -> None:
        self.ended = True
        for task in list(self.tasks.values()):
            task.end(TaskError(FAILED, "the task was stopped: the run ended"), grace)

    # Processes

    def launch(self, started: Process) -> None:
        started.start(self._inherited(), self.spawn)
        self.processes[started.pid] = started
        if self.host.full:
            started.pause(True)

    def _inherited(self) -> list[int]:
        return [*self.loop.descriptors(), *self.own]

    own: tuple[int, ...] = ()  # the host's descriptors

    def signalled(self, number: int) -> None:
        if number == signal.SIGCHLD:
            self.reap()
        elif number in (signal.SIGTERM, signal.SIGHUP):
            self.stop(GRACE)

    def reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if not pid:
                return
            self._known.discard(pid)
            ended = self.processes.pop(pid, None)
            if ended:
                ended.exited(status, self._sweep)

    def _sweep(self) -> None:
        process.sweep(self._known | set(self.processes))

    def throttle(self, paused: bool) -> None:
        for running in list(self.processes.values()):
            running.pause(paused)
        for task in list(self.tasks.values()):
            for leaf in list(task.leaves):
                leaf.pause(paused)

    # Folders of tasks

    def scratch(self) -> str:
        """A name; the child makes the folder, and `discard` removes it."""
        if not self._scratch:
            base = os.environ.get("TMPDIR") or "/tmp"
            self._scratch = os.path.join(base, f"trowel-{os.getpid()}-{os.urandom(6).hex()}")
            os.mkdir(self._scratch, 0o700)
        self._serial += 1
        return os.path.join(self._scratch, str(self._serial))

    def discard(self, folder: str) -> None:
        try:
            for name in ("site", ""):
                os.rmdir(os.path.join(folder, name))
            return
        except OSError:
            pass
        if not os.path.isdir(folder):
            return
        import shutil

        if self.ended or not hasattr(os, "fork"):
            shutil.rmtree(folder, ignore_errors=True)
            return
        pid = os.fork()  # what pip has installed takes a while to remove
        if pid == 0:
            try:
                shutil.rmtree(folder, ignore_errors=True)
            finally:
                os._exit(0)
        self._known.add(pid)

    def close(self) -> None:
        if self._scratch:
            import shutil

            shutil.rmtree(self._scratch, ignore_errors=True)

    def run(self) -> int:
        while not (self.ended and not self.tasks):
            self.loop.once()
        self.close()
        return self.code


class Task:
    """One `start`: the process of the task itself, then those of its subtasks, then its one result."""

    def __init__(
        self, worker: Worker, id: str, assignment: Assignment, secrets: dict[str, str], debug: dict[str, Any] | None
    ) -> None:
        self.worker = worker
        self.id = id
        self.assignment = assignment
        self.secrets = secrets
        self.debug = debug
        self.masker = Masker(secrets.values())
        self.began = time.monotonic()
        self.leaves: set[Process] = set()
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
        from trowel_task.merge import deep_merge
        from trowel_task.subtasks import Subtasks

        ran = outcome["ran"]
        stored, failed = yield from Subtasks(self.assignment).run(ran)
        if failed is not None:
            raise failed
        # A process for it: merging may read large values.
        final = yield self._job(self.assignment, "finish", {**ran, "store": deep_merge(ran["store"], stored)})
        return final["result"]

    def _job(self, assignment: Assignment, purpose: str, ran: dict[str, Any] | None = None) -> Job:
        return Job(
            assignment if purpose != "finish" else assignment.derived(),
            project=self.worker.project,
            secrets=self.secrets,
            scratch=self.worker.scratch(),
            began=self.began,
            purpose=purpose,
            ran=ran,
            debug=self.debug if purpose == "task" else None,
        )

    # Effects of routines

    def _perform(self, effect: Any, routine: Routine) -> Any:
        if isinstance(effect, Job):
            return self._launch(effect, routine, None, None)
        from trowel_task import subtasks

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
        more = {"error": self.masker.value(effect.error.to_json())} if effect.error else {}
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
            self.worker.discard(job.scratch)
            if not outcome["ok"] or late:
                self._resume(routine, None, late[0] if late else TaskError.from_json(outcome["error"]))
            else:
                self._resume(routine, outcome["ran"] if name else outcome)
            while self._queue and len(self.leaves) < MOST and self.reason is None:
                effect, waiting = self._queue.pop(0)
                try:
                    self._perform(effect, waiting)
                except TaskError as error:
                    self._resume(waiting, None, error)
            self._finish()

        def expire() -> None:
            late.append(TaskError(TIMEOUT, f"Task timed out after {timeout:.12g}s", task=name))
            self._stop(leaf, GRACE)

        leaf = Process(
            self.worker.loop,
            job,
            LineSplitter(self.masker, self.worker.limit),
            lambda text: self._send("log", text=text, **more),
            done,
        )
        try:
            self.worker.launch(leaf)
        except OSError as error:
            raise TaskError.from_json(process.cannot_start(error)["error"]) from None
        timer = self.worker.loop.later(timeout, expire) if timeout else None
        self.leaves.add(leaf)
        if job.purpose == "task":
            self._send("started", pid=leaf.pid)
        return PENDING

    def reply(self, message: dict[str, Any]) -> None:
        routine = self._calls.pop(int(message.get("call") or 0), None)
        if routine is None:
            return
        error = message.get("error")
        self._resume(routine, message.get("ok"), TaskError.from_json(error) if isinstance(error, dict) else None)

    # The end

    def end(self, reason: TaskError, grace: float) -> None:
        """Asks politely, then not."""
        if self.reason is None:
            self.reason = reason
        for leaf in list(self.leaves):
            self._stop(leaf, grace)
        self._finish()

    def _stop(self, leaf: Process, grace: float) -> None:
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
        if self.reason and self.assignment.result:
            try:
                os.unlink(self.assignment.result)  # it ended well, but too late
            except OSError:
                pass
        result = {"ok": False, "error": self.masker.value(error.to_json())} if error else self._main.value
        self.worker.host.send(result_message(self.id, result, round(time.monotonic() - self.began, 6)))
        del self.worker.tasks[self.id]

    def _send(self, kind: str, **fields: Any) -> None:
        self.worker.host.send({"type": kind, "id": self.id, **fields})


def result_message(id: str, result: dict[str, Any], seconds: float) -> dict[str, Any]:
    return {"type": "result", "id": id, "result": result, "seconds": seconds}


def clean_path() -> None:
    """`-m` has put the current folder first: neither the project nor this package's folder may hide a module of Python's."""
    from trowel_task.child import SOURCE

    here = os.getcwd()
    sys.path[:] = [path for path in sys.path if path not in ("", here, SOURCE)]


def main(argv: list[str]) -> int:
    """python -m trowel_task worker [--spawn]"""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the host decides what Ctrl-C means
    for name in [name for name in os.environ if name.startswith("TROWEL_")]:
        del os.environ[name]  # ours, secrets among them; not for user code
    read, write = os.dup(0), os.dup(1)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    os.dup2(2, 1)  # what preloaded modules print must not get among the messages
    loop = Loop()
    host = Host(loop, read, write)
    worker = Worker(loop, host, spawn="--spawn" in argv)
    worker.own = (read, write)
    loop.signals([signal.SIGCHLD, signal.SIGTERM, signal.SIGHUP], worker.signalled)
    host.serve(worker)
    code = worker.run()
    host.drain(2.0)
    sys.stderr.flush()
    os._exit(code)


__all__ = ["BAD_INPUT", "Host", "Task", "Worker", "main"]
