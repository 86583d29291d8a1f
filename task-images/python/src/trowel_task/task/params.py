"""The parameters of a task, as its code reads them."""

from __future__ import annotations

from trowel_task.contract import wire
from trowel_task.kinds.unkept import Unreadable
from trowel_task.store import canonical, values

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

_MISSING: Any = object()


class Params(dict):  # type: ignore[type-arg]
    """A dict that reads values by reference when they are used, and notes which parameters were read.

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
