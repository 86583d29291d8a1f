"""For tests of user code, a pytest plugin: the fixture `digdag`.

    def test_load(digdag):
        digdag.run("tasks.data.load", rows=5)
        assert len(digdag.stored["sales"]) == 5

While a test has the fixture, `import digdag` works as in a task; elsewhere it is an ImportError, as always.
"""

from __future__ import annotations

import sys
import types
from typing import TYPE_CHECKING

import pytest

from trowel_task.adapters import digdag as api
from trowel_task.contract.merge import deep_merge
from trowel_task.store import places
from trowel_task.store.store import Store
from trowel_task.task import bind
from trowel_task.task.params import Params
from trowel_task.task.ran import Ran

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from typing import Any


class Digdag(types.ModuleType):
    """The module `digdag`, and what a test does with it. There is one, since the modules under test keep what they have imported."""

    Env = api.Env
    env: api.Env

    def __init__(self) -> None:
        super().__init__("digdag", "The module `digdag` of a task, in a test.")
        self._stored: dict[str, Any] = {}

    def run(self, function: str | Callable[..., Any], /, **params: Any) -> Any:
        """Calls a function as py> does: its arguments are the parameters of the same names, and what earlier calls of this test stored.

        `function` is written as in a workflow, `tasks.data.load`, or is the function itself. What it returns, no workflow sees.
        """
        self._keep()
        self._begin(deep_merge(self._stored, self._values.encode(params)))
        try:
            if isinstance(function, str):
                return bind.call(function, self.env.params)[1]
            args, kwargs = bind.arguments(function, self.env.params)
            return function(*args, **kwargs)
        except BaseException:
            self.env.store_params.clear()  # as those of a task that fails
            raise

    @property
    def stored(self) -> dict[str, Any]:
        """What was stored in this test so far, as the tasks that follow would read it."""
        self._keep()
        return Params(self._stored, {}, frozenset()).copy()

    @property
    def subtasks(self) -> list[dict[str, Any]]:
        """What the last call added by `add_subtask`. Nothing of it is run."""
        return list(self.env.subtask_config.values())

    def _reset(self, root: str) -> None:
        self._values = Store(root)
        places.look_in([root])
        self._stored = {}
        self._begin({})

    def _begin(self, params: dict[str, Any]) -> None:
        made = api.Env(Params(params, {}, frozenset()), Ran(), self._values.take)
        if not hasattr(self, "env"):
            self.env = made
        vars(self.env).update(vars(made))  # `from digdag import env` has this one

    def _keep(self) -> None:
        self._stored = deep_merge(self._stored, self._values.encode(self.env.store_params))
        self.env.store_params.clear()


_module = Digdag()


@pytest.fixture
def digdag(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Digdag]:
    """`digdag` as in a task: `digdag.run("tasks.data.load", rows=5)` calls a function, `digdag.stored` is what was stored."""
    root: Path = tmp_path_factory.mktemp("digdag")
    _module._reset(str(root))
    before = sys.modules.get("digdag")
    sys.modules["digdag"] = _module
    try:
        yield _module
    finally:
        if before is None:
            del sys.modules["digdag"]
        else:
            sys.modules["digdag"] = before
