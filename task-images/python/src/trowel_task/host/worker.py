"""The worker: starts tasks for a host that speaks docs/protocol.md, relays their output and results."""

from __future__ import annotations

import json
import os
import signal
import stat
import sys

from trowel_task import PROTOCOL
from trowel_task.contract.assignment import Assignment, private
from trowel_task.contract.errors import FAILED, LOST, TaskError, signal_name
from trowel_task.host import process
from trowel_task.host.forked import Forked
from trowel_task.host.host import GRACE_WITHOUT_HOST, Host
from trowel_task.host.logs import LIMIT
from trowel_task.host.loop import Loop
from trowel_task.host.task import GRACE, Task, result_message
from trowel_task.system import linux
from trowel_task.task import adapter, child, streams

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trowel_task.host.process import Process


class Worker:
    def __init__(self, loop: Loop, host: Any, spawn: bool = False, ahead: bool = False) -> None:
        """`ahead`: more than one task will come, so a process for the next one is made ahead of time."""
        self.loop = loop
        self.host = host
        self.spawn = spawn or not hasattr(os, "fork")
        self.ahead = ahead
        self.tasks: dict[str, Task] = {}
        self.processes: dict[int, Process] = {}
        self.project = os.getcwd()
        self.limit = LIMIT
        self.more_memory = ""  # how a task gets more, where that is known
        self.ended = False
        self.code = 0
        self._known: set[int] = set()  # children that are not tasks: those of preloaded modules, cleaners
        self._spare: Forked | None = None
        self._scratch = ""
        self._folders: list[str] = []  # below it, empty, for further tasks
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
        handler = getattr(self, f"on_{kind}", None) if isinstance(kind, str) and kind.isalpha() else None
        if handler is None:
            return self.fatal(f"unknown message type {kind!r}; this runner speaks version {PROTOCOL} of the protocol")
        try:
            handler(message)
        except (KeyError, TypeError, AttributeError) as error:
            self.fatal(f"a '{kind}' message is malformed: {type(error).__name__} {error}")
        return None

    def on_hello(self, message: dict[str, Any]) -> None:
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
        self.host.send({"type": "ready", "v": PROTOCOL, "python": ".".join(map(str, sys.version_info[:3])), "pid": os.getpid()})
        # What takes time is done after the message, since the host waits for it.
        linux.become_subreaper()
        if modules:
            self._known = set(linux.children())
        import gc
        from importlib.util import find_spec

        from trowel_task.system import digests

        adapter.make_ready()
        digests.new()
        streams.open_streams()
        # The import system reads the folders of Python itself once, and not in each child.
        find_spec("trowel_task_reads_folders")
        gc.collect()
        gc.freeze()  # children share these pages as long as nobody touches them
        self._fork_ahead()
        return None

    def on_start(self, message: dict[str, Any]) -> None:
        id = str(message["id"])
        if self.ended or id in self.tasks:
            return self.fatal(f"the id '{id}' is in use") if not self.ended else None
        secrets = {str(key): str(value) for key, value in (message.get("secrets") or {}).items()}
        try:
            hide = [str(value) for value in message.get("hide") or ()]
            task = Task(self, id, Assignment(message["assignment"]), secrets, message.get("debug"), hide)
        except TaskError as error:
            self.host.send(result_message(id, {"ok": False, "error": error.to_json()}, 0.0))
            return None
        self.tasks[id] = task
        task.begin()
        return None

    def run_one(self, assignment: dict[str, Any], secrets: dict[str, str]) -> None:
        """One task, of a host that says no hello: in the foreground, in a container."""
        self._greeted = True
        adapter.make_ready()
        self.on_start({"id": "1", "assignment": assignment, "secrets": secrets})
        self.run()

    def on_kill(self, message: dict[str, Any]) -> None:
        task = self.tasks.get(str(message["id"]))
        if task:
            task.end(TaskError(FAILED, "the task was stopped"), float(message.get("grace", GRACE)))

    def on_reply(self, message: dict[str, Any]) -> None:
        task = self.tasks.get(str(message["id"]))
        if task:
            task.reply(message)

    def on_stop(self, message: dict[str, Any]) -> None:
        self.stop(float(message.get("grace", GRACE)))

    def fatal(self, message: str) -> None:
        self.host.send({"type": "fatal", "message": message})
        self.code = 1
        self.stop(GRACE_WITHOUT_HOST)

    def stop(self, grace: float, reason: TaskError | None = None) -> None:
        self.ended = True
        for task in list(self.tasks.values()):
            task.end(reason or TaskError(FAILED, "the task was stopped: the run ended"), grace)

    # Processes

    def launch(self, started: Process) -> None:
        """Raises OSError if there can be no further process."""
        if self.spawn:
            started.job.scratch = self.scratch()
            started.start(None)
        else:
            forked, self._spare = self._spare or self._fork(), None
            while not forked.give(started.job):  # somebody has killed it
                self._known.add(forked.pid)
                forked = self._fork()
            started.start(forked)
        self.processes[started.pid] = started
        if self.host.full:
            started.pause(True)
        self._fork_ahead()

    def _fork_ahead(self) -> None:
        """Makes a process for the next task, as soon as there is nothing else to do."""
        if self.ahead and not self.spawn:
            self.loop.later(0, self._make_spare)

    def _make_spare(self) -> None:
        if self._spare is None and not self.ended:
            try:
                self._spare = self._fork()
            except (OSError, TaskError):
                pass  # a task will say so

    def _fork(self) -> Forked:
        return Forked(self._inherited(), self.scratch())

    def _inherited(self) -> list[int]:
        paused = [fd for running in self.processes.values() for fd in running.descriptors()]
        spare = self._spare.descriptors() if self._spare else []
        return [*self.loop.descriptors(), *paused, *spare, *self.own]

    own: tuple[int, ...] = ()  # the host's descriptors

    def signalled(self, number: int) -> None:
        if number == signal.SIGCHLD:
            self.reap()
        elif number in (signal.SIGTERM, signal.SIGHUP):
            # Not from the host: the machine shuts down, or somebody has sent it.
            self.stop(GRACE, TaskError(LOST, f"the Python worker was ended by {signal_name(number)}"))

    def reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if not pid:
                return
            self._known.discard(pid)
            if self._spare and self._spare.pid == pid:
                self._spare.close()
                self._spare = None
            ended = self.processes.pop(pid, None)
            if ended:
                ended.exited(status, self._sweep)

    def _sweep(self) -> None:
        process.sweep(self._known | set(self.processes) | ({self._spare.pid} if self._spare else set()))

    def throttle(self, paused: bool) -> None:
        for running in list(self.processes.values()):
            running.pause(paused)
        for task in list(self.tasks.values()):
            for leaf in list(task.leaves):
                leaf.pause(paused)

    # Folders of tasks

    def scratch(self) -> str:
        """The name of a folder for a task. The child makes the folder, if it does not exist, and `discard` takes it back."""
        if self._folders:
            return self._folders.pop()
        if not self._scratch:
            name = f"trowel-{os.getpid()}-{os.urandom(6).hex()}"
            for base in (os.environ.get("TMPDIR") or "/tmp", "/tmp", "/var/tmp"):
                try:
                    os.mkdir(os.path.join(base, name), 0o700)
                except OSError as error:
                    reason = error.strerror
                else:
                    self._scratch = os.path.join(base, name)
                    break
            else:
                raise TaskError(FAILED, f"Cannot make a folder for tasks in TMPDIR or /tmp: {reason}")
        self._serial += 1
        return os.path.join(self._scratch, str(self._serial))

    def discard(self, folder: str, over: bool) -> None:
        """`over`: no process is left that could write into it. Then a folder that is still empty is used for another task: on some file
        systems (ext4 without a journal) each folder that was removed makes the next one slower to make."""
        if over and not self.spawn and _is_new(folder):
            self._folders.append(folder)
            return
        script = private(folder, "runner.sh") if os.path.isdir(os.path.join(folder, ".trowel")) else None
        try:
            if script:
                os.unlink(script)
                os.rmdir(os.path.dirname(script))
            os.rmdir(folder)
            return
        except FileNotFoundError:
            if not os.path.isdir(folder):
                return
        except OSError:
            pass
        import shutil

        pid = -1
        if not self.ended and hasattr(os, "fork"):
            try:
                pid = os.fork()  # what pip has installed takes a while to remove
            except OSError:
                pass  # no process is free
        if pid < 0:
            shutil.rmtree(folder, ignore_errors=True)
            return
        if pid == 0:
            try:
                shutil.rmtree(folder, ignore_errors=True)
            finally:
                os._exit(0)
        self._known.add(pid)

    def close(self) -> None:
        if self._spare:  # it may be about to make its folder
            os.kill(self._spare.pid, signal.SIGKILL)
            os.waitpid(self._spare.pid, 0)
            self._spare = None
        if self._scratch:
            import shutil

            shutil.rmtree(self._scratch, ignore_errors=True)

    def run(self) -> int:
        while not (self.ended and not self.tasks):
            self.loop.once()
        self.close()
        return self.code


def _is_new(folder: str) -> bool:
    try:
        with os.scandir(folder) as entries:
            return next(entries, None) is None and os.lstat(folder).st_mode == stat.S_IFDIR | 0o700
    except OSError:
        return False


def clean_path() -> None:
    """`-m` has put the current folder first: neither the project nor this package's folder may hide a module of Python's."""
    here = os.getcwd()
    sys.path[:] = [path for path in sys.path if path not in ("", here, child.SOURCE)]


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
    worker = Worker(loop, host, spawn="--spawn" in argv, ahead=True)
    worker.own = (read, write)
    loop.signals([signal.SIGCHLD, signal.SIGTERM, signal.SIGHUP], worker.signalled)
    host.serve(worker)
    try:
        code = worker.run()
    except Exception as error:  # a fault of the runner; its tasks die with it
        host.send({"type": "fatal", "message": f"the runner failed: {type(error).__name__}: {error}"})
        worker.close()
        code = 1
    host.drain(2.0)
    sys.stderr.flush()
    os._exit(code)
