"""The adapters: modules of trowel_task/adapters, each one way to run a task. They use what is in this room, so they are loaded by name."""

from __future__ import annotations

import sys

from trowel_task.contract.errors import BAD_INPUT, TaskError, did_you_mean

TYPE_CHECKING = False
if TYPE_CHECKING:
    from trowel_task.task.task_host import Adapter


# Of an assignment that names none.
DEFAULT = "digdag"
_ROOM = "trowel_task.adapters"


def make_ready() -> None:
    """Loads what a task without an adapter needs: the worker does it once, for its forks."""
    from trowel_task.task import task_host  # noqa: F401

    load()


def load(name: str | None = None) -> Adapter:
    """Raises TaskError (Trowel.BadInput) for a name that is no adapter's."""
    if name is None or name == DEFAULT:
        return _module(DEFAULT)
    known = names()
    if name not in known:
        raise TaskError(BAD_INPUT, f"this runner has no adapter '{name}', it has {', '.join(known)}.{did_you_mean(name, known)}")
    found = _module(name)
    if not hasattr(found, "run"):
        raise TaskError(BAD_INPUT, f"'{name}' is no adapter: it has no function `run`")
    return found


def _module(name: str) -> Adapter:
    found: Adapter = sys.modules.get(f"{_ROOM}.{name}") or __import__(f"{_ROOM}.{name}", fromlist=["run"])
    return found


def names() -> list[str]:
    """Of the modules that are there."""
    import pkgutil

    package = __import__(_ROOM, fromlist=["__path__"])
    return sorted(module.name for module in pkgutil.iter_modules(package.__path__))
