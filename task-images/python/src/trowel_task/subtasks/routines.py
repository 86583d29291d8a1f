"""Small coroutines: generators that yield what they want done. The worker is one thread; this is how a tree of subtasks runs in it.

A generator yields an effect (any object) and is sent its answer, or is thrown a TaskError. `Spawn` and `Wait` are answered here.
"""

from __future__ import annotations

from trowel_task.contract.errors import FAILED, TaskError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from typing import Any

    Steps = Generator[Any, Any, Any]

PENDING = object()


class Spawn:
    """Starts another generator; the answer is its Routine."""

    def __init__(self, steps: Steps) -> None:
        self.steps = steps


class Wait:
    """Answered with the routines that have ended, as soon as one has."""

    def __init__(self, routines: list[Routine]) -> None:
        self.routines = routines


class Routine:
    """`perform(effect, routine)` gives the answer, or PENDING and calls `routine.resume` later."""

    def __init__(self, steps: Steps, perform: Callable[[Any, Routine], Any]) -> None:
        self._steps = steps
        self._perform = perform
        self.ended = False
        self.value: Any = None
        self.error: TaskError | None = None
        self.then: list[Callable[[], None]] = []

    def resume(self, value: Any = None, error: TaskError | None = None) -> None:
        while not self.ended:
            try:
                effect = self._steps.send(value) if error is None else self._steps.throw(error)
            except StopIteration as end:
                return self._end(end.value, None)
            except TaskError as failed:
                return self._end(None, failed)
            except Exception as bug:
                return self._end(None, TaskError(FAILED, f"the runner failed: {type(bug).__name__}: {bug}"))
            try:
                value, error = self._answer(effect), None
            except TaskError as failed:
                value, error = None, failed
            if value is PENDING:
                return None
        return None

    def _answer(self, effect: Any) -> Any:
        if isinstance(effect, Spawn):
            routine = Routine(effect.steps, self._perform)
            routine.resume()
            return routine
        if isinstance(effect, Wait):
            done = [routine for routine in effect.routines if routine.ended]
            if done:
                return done
            self._wait(effect.routines)
            return PENDING
        return self._perform(effect, self)

    def _wait(self, routines: list[Routine]) -> None:
        def woken() -> None:
            for routine in routines:
                if woken in routine.then:
                    routine.then.remove(woken)
            self.resume([routine for routine in routines if routine.ended])

        for routine in routines:
            routine.then.append(woken)

    def _end(self, value: Any, error: TaskError | None) -> None:
        self.ended, self.value, self.error = True, value, error
        for wake in list(self.then):
            wake()
