"""py> and sh> as digdag has them, and the `digdag` module of user code. That exists only in the process of a task: elsewhere
`import digdag` is an ImportError, which scripts rely on to tell where they run."""

from __future__ import annotations

import json
import os
import sys
import types

from trowel_task.contract import errors, wire
from trowel_task.contract.assignment import private
from trowel_task.contract.errors import BAD_INPUT, FAILED, TaskError
from trowel_task.contract.operators import DEFAULTS, RUNS
from trowel_task.store import values
from trowel_task.system import files
from trowel_task.task import bind, debugging, shell, streams

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trowel_task.contract.assignment import Job
    from trowel_task.task.params import Params
    from trowel_task.task.ran import Ran
    from trowel_task.task.task_host import TaskHost


def run(host: TaskHost) -> None:
    """Runs the task in this process. Raises TaskError, or what user code raises."""
    operator = host.assignment.operator
    runs = RUNS.get(operator)
    if runs == "shell":
        shell.run(operator, host.params.raw(), host.env, host.secrets, host.scratch)
    elif runs == "python":
        os.environ.update(host.env)
        # Python reads it when it starts; this one has started.
        sys.path[:0] = [os.path.abspath(path) for path in host.env.get("PYTHONPATH", "").split(os.pathsep) if path]
        _python(host)
    else:
        raise TaskError(BAD_INPUT, f"this runner has no operator '{operator}>'")
    if host.ran.subtasks:
        host.params.raw()  # templates of subtasks may use any


def _python(host: TaskHost) -> None:
    job, params, ran = host.job, host.params, host.ran
    operator = job.assignment.operator
    defaults = dict.get(params, DEFAULTS[operator])
    if isinstance(defaults, dict) and wire.is_mapping(defaults):
        for key, value in values.resolve(defaults).items():
            if not dict.__contains__(params, key):
                params[key] = value
    install(Env(params, ran, host.store.take))
    sys.path.append(os.getcwd())  # last: the standard library goes before user modules, as with digdag
    command = dict.get(params, "_command", dict.get(params, f"{operator}>"))
    sys.argv = [str(command), *host.argv]
    try:
        debugging.prepare(job.debug, job.assignment.task)
        if command is not None:
            module, returned = bind.call(str(command), params)
            if isinstance(returned, dict) and returned and ran.store.keys().isdisjoint(returned):
                ran.returned = str(command)
            ran.module = _module_hash(getattr(module, "__file__", None))
        elif isinstance(dict.get(params, "script"), str):
            _script(params["script"], host)
        else:
            raise TaskError(FAILED, f"{operator}>: the function is missing: write {operator}>: module.function (config)")
    except SystemExit as error:
        if errors.exit_code(error) != 0:
            raise _failure(job, error) from None
    except TaskError:
        raise
    except BaseException as error:
        raise _failure(job, error) from None


def _failure(job: Job, error: BaseException) -> TaskError:
    debugging.post_mortem(job.debug, error)
    made = errors.from_exception(error)
    streams.flush()
    errors.report(made)
    return made


def _script(text: str, host: TaskHost) -> None:
    """`_type: py` with `script`: a program that reads input.json and may write output.json, named by its two arguments."""
    import types

    path, given, made = (private(host.scratch, name) for name in ("runner.py", "input.json", "output.json"))
    with open(path, "w", encoding="utf-8", errors="surrogateescape") as file:
        file.write(text)
    with open(given, "wb") as output:
        output.write(wire.dumps({"params": {wire.plain_key(key): shell.shown(value) for key, value in host.params.raw().items()}}))
    module = types.ModuleType("__main__")
    module.__file__ = path
    sys.modules["__main__"] = module
    sys.argv = [path, given, made, *host.argv]
    exec(compile(text, path, "exec"), module.__dict__)
    if os.path.exists(made):
        with open(made, "rb") as source:
            said = json.load(source)
        host.ran.store.update(said.get("store_params") or {})
        host.ran.export.update(said.get("export_params") or {})
        host.ran.subtasks.update(said.get("subtask_config") or {})


def _module_hash(path: str | None) -> str | None:
    try:
        return files.hash_file(path)[0] if path else None
    except OSError:
        return None


class Env:
    """digdag.env"""

    def __init__(self, params: Params, ran: Ran, take: Any) -> None:
        import collections

        self.params = params
        self.subtask_config = ran.subtasks = collections.OrderedDict()
        self.export_params = ran.export
        self.store_params = ran.store
        self.state_params: dict[str, Any] = {}
        self.subtask_index = 0
        self._take = take

    def set_state(self, params: dict[str, Any] = {}, **kwds: Any) -> None:  # noqa: B006
        """Accepted, and of no effect, as in digdag."""
        self.state_params.update(params)
        self.state_params.update(kwds)

    def export(self, params: dict[str, Any] = {}, **kwds: Any) -> None:  # noqa: B006
        """Parameters for the subtasks that this task adds."""
        new = {**params, **kwds}
        self.export_params.update(self._take(new))

    def store(self, params: dict[str, Any] = {}, **kwds: Any) -> None:  # noqa: B006
        """Parameters for every later task: JSON, dates, bytes, pathlib files, frames, arrays. Lost if the task fails."""
        new = {**params, **kwds}
        self.store_params.update(self._take(new))

    def add_subtask(self, function: Any = None, **params: Any) -> None:
        """add_subtask(function, **params), add_subtask({…}, **params) or add_subtask(**params). Runs when this task has returned."""
        if function is None:
            config = params
        elif isinstance(function, dict):
            config = {**function, **params}
        else:
            name = getattr(function, "__qualname__", None)
            if name is None:
                raise TypeError(f"add_subtask takes a function or a dict, not {type(function).__name__}")
            if "<" in name:
                raise TypeError(f"add_subtask: '{name}' has no name of its own; use a function of a module")
            config = {**params, "py>": f"{function.__module__}.{name}"}
        try:
            json.dumps(config)
        except Exception as error:
            way = "hand it over by digdag.env.store, and give the subtask's function an argument of its name"
            raise TypeError(f"Parameters must be serializable using JSON: {error}: {way}") from None
        self.subtask_config[f"+subtask{self.subtask_index}"] = config
        self.subtask_index += 1


def install(env: Env) -> None:
    """Makes `import digdag` work in this process."""
    module = types.ModuleType("digdag")
    module.env = env  # type: ignore[attr-defined]
    module.Env = Env  # type: ignore[attr-defined]
    sys.modules["digdag"] = module
