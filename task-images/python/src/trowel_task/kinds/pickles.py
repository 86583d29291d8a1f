"""Objects by pickle, where trowel.yml has `values: {pickle: true}`: unpickling runs code that the file names, so a reader needs it too."""

from __future__ import annotations

from trowel_task.kinds.unkept import Unkept, Unreadable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def write(value: Any, path: str) -> dict[str, Any]:
    import pickle

    try:
        with open(path, "wb") as file:
            pickle.dump(value, file, protocol=4)
    except Exception as error:
        raise Unkept(value, f"it cannot be pickled: {error}", advised=True) from None
    kind = type(value)
    if kind.__module__ == "__main__":
        raise Unkept(
            value, f"its class {kind.__qualname__} is of this script: move it to a module, which the next task can import", advised=True
        )
    return {"as": f"{kind.__module__}.{kind.__qualname__}"}


def read(path: str, ref: dict[str, Any], allowed: bool) -> Any:
    """Raises Unreadable."""
    if not allowed:
        raise Unreadable(f"it is a pickle of a {ref.get('as')}, which is read only with `values: {{pickle: true}}` in trowel.yml")
    import pickle

    try:
        with open(path, "rb") as file:
            return pickle.load(file)
    except Exception as error:
        raise Unreadable(f"its pickle of a {ref.get('as')} cannot be read here: {type(error).__name__}: {error}") from error
