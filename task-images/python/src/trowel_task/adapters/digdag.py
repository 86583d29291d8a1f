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
from trowel_task.kinds.unkept import Unreadable
from trowel_task.store import canonical, values
from trowel_task.store.store import Store
from trowel_task.system import files
from trowel_task.task import bind, debugging, shell, streams

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from trowel_task.contract.assignment import Job
    from trowel_task.task.ran import Ran
    from trowel_task.task.secrets import Secrets

_MISSING: Any = object()


def run(job: Job, params: dict[str, Any], env: dict[str, str], secrets: Secrets, ran: Ran) -> None:
    """Runs the task and puts what it has done into `ran`. `params`: as they travel. Raises TaskError, or what user code raises."""
    own = Params(params, ran.read, frozenset(job.assignment.builtin_values()) | {"task_name"})
    operator = job.assignment.operator
    runs = RUNS.get(operator)
    if runs == "shell":
        shell.run(operator, own.raw(), env, secrets, job.scratch)
    elif runs == "python":
        os.environ.update(env)
        # Python reads it when it starts; this one has started.
        sys.path[:0] = [os.path.abspath(path) for path in env.get("PYTHONPATH", "").split(os.pathsep) if path]
        _python(job, own, ran)
    else:
        raise TaskError(BAD_INPUT, f"this runner has no operator '{operator}>'")
    if ran.subtasks:
        own.raw()  # templates of subtasks may use any


def _python(job: Job, params: Params, ran: Ran) -> None:
    operator = job.assignment.operator
    defaults = dict.get(params, DEFAULTS[operator])
    if isinstance(defaults, dict) and wire.is_mapping(defaults):
        for key, value in values.resolve(defaults).items():
            if not dict.__contains__(params, key):
                params[key] = value
    install(Env(params, ran, Store(job.assignment.root).take))
    sys.path.append(os.getcwd())  # last: the standard library goes before user modules, as with digdag
    command = dict.get(params, "_command", dict.get(params, f"{operator}>"))
    sys.argv = [str(command)]
    try:
        debugging.prepare(job.debug, job.assignment.task)
        if command is not None:
            module, returned = bind.call(str(command), params)
            if isinstance(returned, dict) and returned and ran.store.keys().isdisjoint(returned):
                ran.returned = str(command)
            ran.module = _module_hash(getattr(module, "__file__", None))
        elif isinstance(dict.get(params, "script"), str):
            _script(params["script"], job.scratch, params, ran)
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


def _script(text: str, scratch: str, params: Params, ran: Ran) -> None:
    """`_type: py` with `script`: a program that reads input.json and may write output.json, named by its two arguments."""
    import types

    path, given, made = (private(scratch, name) for name in ("runner.py", "input.json", "output.json"))
    with open(path, "w", encoding="utf-8", errors="surrogateescape") as file:
        file.write(text)
    with open(given, "wb") as output:
        output.write(wire.dumps({"params": {wire.plain_key(key): shell.shown(value) for key, value in params.raw().items()}}))
    module = types.ModuleType("__main__")
    module.__file__ = path
    sys.modules["__main__"] = module
    sys.argv = [path, given, made]
    exec(compile(text, path, "exec"), module.__dict__)
    if os.path.exists(made):
        with open(made, "rb") as source:
            said = json.load(source)
        ran.store.update(said.get("store_params") or {})
        ran.export.update(said.get("export_params") or {})
        ran.subtasks.update(said.get("subtask_config") or {})


def _module_hash(path: str | None) -> str | None:
    try:
        return files.hash_file(path)[0] if path else None
    except OSError:
        return None


class Params(dict):  # type: ignore[type-arg]
    """digdag.env.params: a dict that reads values by reference when they are used, and notes which parameters were read.

    A parameter that was looked for and not there is noted too, with "" for its hash.
    """

    def __init__(self, data: dict[str, Any], read: dict[str, str], untracked: frozenset[str]) -> None:
        super().__init__({wire.plain_key(key): value for key, value in data.items()})
        self._read = read
        self._untracked = untracked
        self._fresh = {key for key, value in super().items() if isinstance(value, (dict, list))}

    def note(self, key: Any) -> None:
        if isinstance(key, str) and key not in self._read and key not in self._untracked:
            self._read[key] = canonical.digest(dict.__getitem__(self, key)) if dict.__contains__(self, key) else ""

    def __getitem__(self, key: Any) -> Any:
        self.note(key)
        fresh = key in self._fresh
        value = super().__getitem__(key)
        if fresh:
            try:
                value = values.resolve(value)
            except Unreadable as error:
                raise ValueError(f"'{key}' cannot be read: {error}") from error.__cause__
            super().__setitem__(key, value)
            self._fresh.discard(key)  # last, so that no other thread sees the reference
        return value

    def __setitem__(self, key: Any, value: Any) -> None:
        self._fresh.discard(key)
        super().__setitem__(key, value)

    def __delitem__(self, key: Any) -> None:
        self._fresh.discard(key)
        super().__delitem__(key)

    def __contains__(self, key: Any) -> bool:
        self.note(key)
        return super().__contains__(key)

    def get(self, key: Any, default: Any = None) -> Any:
        return self[key] if key in self else default  # noqa: SIM401

    def pop(self, key: Any, default: Any = _MISSING) -> Any:
        if default is not _MISSING and key not in self:
            return default
        value = self[key]
        del self[key]
        return value

    def setdefault(self, key: Any, default: Any = None) -> Any:
        if key not in self:
            self[key] = default
        return self[key]

    # dict(params), {**params} and f(**params) take these ways because __iter__ is overridden.
    def __iter__(self) -> Iterator[Any]:
        return iter(list(super().keys()))

    def values(self) -> Any:
        return [self[key] for key in self]

    def items(self) -> Any:
        return [(key, self[key]) for key in self]

    def raw(self) -> dict[str, Any]:
        """Everything, counted as read, with references as they are."""
        for key in self:
            self.note(key)
        return {key: dict.__getitem__(self, key) for key in self}

    def copy(self) -> dict[str, Any]:
        return {key: self[key] for key in self}


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
