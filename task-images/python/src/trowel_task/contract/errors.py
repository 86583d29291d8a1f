"""Failures as the host sees them, and digdag's text form of a Python exception."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    import traceback as tracebacks
    from collections.abc import Iterator
    from types import TracebackType
    from typing import Any

    from trowel_task.contract.masks import Masker

FAILED = "Trowel.TaskFailed"
TIMEOUT = "Trowel.TaskTimeout"
LOST = "Trowel.TaskLost"
SECRET = "Trowel.Secret"
BAD_INPUT = "Trowel.BadInput"

# In the message of a task that was killed; what to do about it is added where that is known (task.py, fargate.py).
OUT_OF_MEMORY = "perhaps out of memory"

# Characters. A state's cause holds 32,768 on AWS; the whole text is in the log.
MESSAGE_LIMIT = 16_000
STACK_LIMIT = 30_000

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep


class TaskError(Exception):
    """A failure with one of the names that Retry and Catch match (lib/contract/payload.ts, ERRORS). `memory`: the message says
    OUT_OF_MEMORY, and what may be done about it can be added there. `exit`: the exit code
    of what the task ran, where its adapter gave one."""

    memory = False

    def __init__(
        self,
        name: str,
        message: str,
        stacktrace: str | None = None,
        cls: str | None = None,
        task: str | None = None,
        exit: int | None = None,
    ) -> None:
        super().__init__(message)
        self.name = name
        self.message = message
        self.stacktrace = stacktrace
        self.cls = cls
        self.task = task
        self.exit = exit

    def to_json(self, masker: Masker | None = None, times: int = 1) -> dict[str, Any]:
        """`masker` hides secrets before the texts are shortened, since half a secret is not recognized. `times`: keeps this many times as
        much text for the worker, which knows more secrets and shortens again."""
        mask = masker.text if masker else str
        out: dict[str, Any] = {"name": self.name, "message": shorten(mask(clean(self.message)), times * MESSAGE_LIMIT)}
        if self.stacktrace:
            out["stacktrace"] = shorten(mask(clean(self.stacktrace)), times * STACK_LIMIT)
        if self.cls:
            out["class"] = self.cls
        if self.task:
            out["task"] = mask(self.task)
        if self.exit is not None:
            out["exit"] = self.exit
        return out

    def outcome(self, masker: Masker | None = None, times: int = 1) -> dict[str, Any]:
        """The outcome of a process (child.py)."""
        more = {"memory": True} if self.memory else {}
        return {"ok": False, "error": self.to_json(masker, times), **more}

    @classmethod
    def from_outcome(cls, outcome: dict[str, Any]) -> TaskError:
        made = cls.from_json(outcome["error"])
        made.memory = outcome.get("memory") is True
        return made

    @classmethod
    def from_json(cls, error: dict[str, Any]) -> TaskError:
        return cls(
            str(error.get("name") or FAILED),
            str(error.get("message") or ""),
            error.get("stacktrace"),
            error.get("class"),
            error.get("task"),
            error.get("exit"),
        )


def clean(text: str) -> str:
    """Without lone surrogates, which UTF-8 cannot express."""
    return text if text.isascii() else text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def shorten(text: str, limit: int) -> str:
    """Keeps the beginning and the end, since the end of a traceback says most."""
    if len(text) <= limit:
        return text
    head = limit // 3
    return text[:head] + "\n[… shortened, the whole text is in the log …]\n" + text[head + 60 - limit :]


def text_of(error: BaseException) -> str:
    """str(error), for errors whose __str__ may fail."""
    try:
        return str(error)
    except BaseException:
        return f"<the text of this {type(error).__name__} could not be made: its __str__ failed>"


def from_exception(error: BaseException, tb: TracebackType | None = None) -> TaskError:
    """The form of digdag, which handlers see as `error.message`. Only the user's frames."""
    if isinstance(error, TaskError):
        return error
    lines = user_traceback(error, tb)
    code, message = 1, text_of(error)
    if isinstance(error, SystemExit):
        code, message = exit_code(error), exit_text(error)
    hint = hint_to_apt(_command(error))
    first = f"Python command failed with code {code}\nError messages from python: {message} ({type(error).__name__}){hint}"
    frames = "".join("\n\tfrom " + line.rstrip("\n") for line in lines)
    return TaskError(FAILED, f"{first}{frames} (runtime)", "".join(lines).rstrip("\n"), type(error).__name__)


def _command(error: BaseException) -> str:
    """The command of a subprocess that failed, or nothing."""
    subprocess = sys.modules.get("subprocess")
    if subprocess is None or not isinstance(error, subprocess.SubprocessError):
        return ""
    command = getattr(error, "cmd", "")
    return " ".join(map(str, command)) if isinstance(command, (list, tuple)) else str(command)


def exit_code(error: SystemExit) -> int:
    """As the interpreter counts it: none is 0, a text is 1."""
    if error.code is None:
        return 0
    return int(error.code) if isinstance(error.code, int) else 1


def exit_text(error: SystemExit) -> str:
    if isinstance(error.code, int):
        return f"the task called sys.exit({error.code})"
    return f"sys.exit: {text_of(error)}"


def user_traceback(error: BaseException, tb: TracebackType | None = None) -> list[str]:
    """The traceback as Python prints it, an element each, without the runner's frames. Never raises."""
    import traceback

    try:
        made = traceback.TracebackException(type(error), error, tb or error.__traceback__)
        for part in _chain(made):
            part.stack[:] = [frame for frame in part.stack if not is_runner(frame.filename)]
        return list(made.format())
    except Exception as problem:
        return [f"{type(error).__name__}: {text_of(error)}\n", f"(no traceback: {type(problem).__name__})\n"]


def _chain(top: tracebacks.TracebackException) -> Iterator[tracebacks.TracebackException]:
    seen: set[int] = set()
    todo = [top]
    while todo:
        part = todo.pop()
        if id(part) in seen:
            continue
        seen.add(id(part))
        yield part
        todo += [p for p in (part.__cause__, part.__context__, *(getattr(part, "exceptions", None) or ())) if p]


def is_runner(filename: str) -> bool:
    return filename.startswith(_PACKAGE) or filename in ("<frozen runpy>", "<frozen importlib._bootstrap>")


def signal_name(number: int) -> str:
    import signal

    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def killed(name: str, message: str, number: int, end: str = "") -> TaskError:
    """The error for what a signal has ended. `end`: of the message."""
    memory = signal_name(number) == "SIGKILL"
    error = TaskError(name, f"{message}, {OUT_OF_MEMORY}{end}" if memory else message + end)
    error.memory = memory
    return error


def ended_by(status: int) -> TaskError:
    """The error for a process that ended without saying how; `status` as from os.waitpid."""
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        return killed(FAILED, f"the task was killed by signal {number} ({signal_name(number)})", number)
    return TaskError(FAILED, f"the task ended without a result (exit code {os.WEXITSTATUS(status)})")


def hint_to_apt(text: str) -> str:
    """For a failure around apt-get: a task is not root in the containers of AWS, and every run would install anew. Or nothing."""
    import re

    wanted = r"\b(apt|apt-get|aptitude)\b[^\n]*\b(install|update|upgrade)\b|\bdpkg\b[^\n]* -i\b"
    if ("apt" not in text and "dpkg" not in text) or not re.search(wanted, text):
        return ""
    return " Packages of the operating system come with the image: `apt: [NAME]` in trowel.yml"


def did_you_mean(word: str, known: list[str]) -> str:
    """` Did you mean 'x'?`, or nothing."""
    import difflib

    near = difflib.get_close_matches(word, known, 1)
    return f" Did you mean '{near[0]}'?" if near else ""


def report(error: TaskError) -> None:
    """Puts the traceback into the task's own log."""
    if error.stacktrace:
        try:
            sys.stderr.write(error.stacktrace + "\n")
            sys.stderr.flush()
        except (OSError, ValueError):
            pass  # user code closed it
