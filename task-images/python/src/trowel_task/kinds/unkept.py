"""Objects that cannot be kept, or not be read again, and their names in messages."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Unkept(Exception):
    """An object that has no exact form. `what`: what is the matter with it; `at`: where it is within the value, as `[3].when`. `advised`:
    `what` says what to do about it, too."""

    def __init__(self, value: Any, what: str = "", at: str = "", advised: bool = False) -> None:
        super().__init__(what)
        self.value = value
        self.what = what
        self.at = at
        self.advised = advised


class Unreadable(ValueError):
    """A stored object that cannot be made again here; its text does not say the key."""


def package(kind: type) -> str:
    return kind.__module__.partition(".")[0]


def named(value: Any) -> str:
    """`polars.DataFrame`, `sklearn.linear_model.LinearRegression`, `set`: with its module, without parts that are private."""
    kind = type(value)
    parts = [part for part in kind.__module__.split(".") if not part.startswith("_")]
    module = parts[0] if parts and parts[0] in ("pandas", "polars", "pyarrow", "numpy") else ".".join(parts)
    return kind.__qualname__ if module in ("", "builtins") else f"{module}.{kind.__qualname__}"
