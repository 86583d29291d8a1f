"""sh>: a script file run by /bin/sh or the task's `shell:`. Parameters are environment variables."""

from __future__ import annotations

import os
import sys

from trowel_task.contract import wire
from trowel_task.contract.assignment import ENV_NAME, private
from trowel_task.contract.errors import FAILED, TaskError, hint_to_apt, killed, signal_name
from trowel_task.contract.operators import DEFAULTS
from trowel_task.store import places, values
from trowel_task.task import shell_variables
from trowel_task.task.secrets import Secrets
from trowel_task.task.shell_variables import to_bytes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Started:
    """A script that runs. `text` is the command as the task has it, without secrets."""

    def __init__(self, pid: int, text: str) -> None:
        self.pid = pid
        self._text = text

    def failure(self, status: int) -> TaskError | None:
        """What the task fails with; `status` as from os.waitpid."""
        if os.WIFSIGNALED(status):
            number = os.WTERMSIG(status)
            return killed(FAILED, f"Command failed with code {128 + number}: killed by {signal_name(number)}", number, " (runtime)")
        if os.WEXITSTATUS(status):
            return TaskError(FAILED, f"Command failed with code {os.WEXITSTATUS(status)} (runtime){hint_to_apt(self._text)}")
        return None


def run(operator: str, options: dict[str, Any], env: dict[str, str], secrets: Secrets, scratch: str) -> None:
    """Starts it and waits for its end. Raises TaskError "Command failed with code N"."""
    started = start(operator, options, env, secrets, scratch)
    error = started.failure(_wait(started.pid))
    if error is not None:
        raise error


def start(operator: str, options: dict[str, Any], env: dict[str, str], secrets: Secrets, scratch: str) -> Started:
    """`options`: the parameters, as they travel. `env` (from `_env`) wins over them. Raises TaskError where it cannot be started."""
    defaults = options.get(DEFAULTS[operator])
    if isinstance(defaults, dict) and wire.is_mapping(defaults):
        options = {**values.opened(defaults), **options}
    command = options.get("_command", options.get(f"{operator}>"))
    shell = options.get("shell", ["/bin/sh"])
    if isinstance(shell, str):
        shell = [shell]
    if command is None:
        raise TaskError(FAILED, f"{operator}>: the script is missing (config)")
    script = private(scratch, "runner.sh")
    text = secrets.script(text_of(command))
    fd = os.open(script, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(fd, "wb") as file:
        file.write(to_bytes(text))
    used = shell_variables.used_names(text, options)
    given = variables(options, used)
    if len(given) < sum(map(_is_variable, options)) or not shell_variables.all_fit(given):
        used |= shell_variables.used_in_files(text, options)
        given = variables(options, used)
    environment = shell_variables.choose(given, used & given.keys(), env, os.environb)
    return Started(_start([*map(str, shell), script], environment), text_of(command))


def variables(params: dict[str, Any], used: set[str]) -> dict[str, str]:
    """Every parameter whose name is legal; objects as JSON, null as empty, a file as its path. What is large and unused is not read."""
    out: dict[str, str] = {}
    for name, value in params.items():
        if _is_variable(name) and (name in used or not _is_large(value)):
            out[name] = text_of(value)
    return out


def _is_variable(name: Any) -> bool:
    return isinstance(name, str) and ENV_NAME.fullmatch(name) is not None


def _is_large(value: Any) -> bool:
    """Whether it cannot be an environment variable in any case; its text may be shorter than its JSON."""
    kept = (wire.is_ref(value) and value.get("kind") == "json") or (isinstance(value, dict) and wire.MAP in value)
    return kept and values.bytes_of(value) > 6 * shell_variables.LONGEST


def text_of(value: Any) -> str:
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if wire.is_leaf(value):
        return str(value["text"])
    value = shown(value)
    if isinstance(value, str):
        return value
    try:
        return wire.dumps(value).decode("utf-8")
    except (TypeError, ValueError):
        return str(value)


def shown(value: Any) -> Any:
    """A parameter as JSON has it: of what is kept in a file of another kind its path, of another leaf than an integer its text."""
    return wire.decode(value, _shown, lambda leaf: int(leaf["text"]) if leaf[wire.LEAF] == "int" else leaf["text"])


def _shown(mark: dict[str, Any]) -> Any:
    if wire.is_ref(mark) and mark.get("kind") != "json":
        return places.path_of(mark, verify=False)
    return shown(values.expanded(mark))


def _start(argv: list[str], env: dict[bytes, bytes]) -> int:
    import signal

    sys.stdout.flush()
    sys.stderr.flush()
    # A task that is stopped gets its time to clean up (trap … TERM), so this process must outlive its script.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    ignored = [s for s in (signal.SIGPIPE, signal.SIGTERM, getattr(signal, "SIGXFSZ", None)) if s is not None]
    try:
        return os.posix_spawnp(argv[0], argv, env, setsigdef=ignored)
    except OSError as error:
        raise TaskError(FAILED, f"Cannot start the shell '{argv[0]}': {error.strerror}") from None


def _wait(pid: int) -> int:
    while True:
        found, status = os.waitpid(-1, 0)  # as the subreaper, this process gets the children of others too
        if found == pid:
            return status
