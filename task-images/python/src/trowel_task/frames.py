"""pandas objects as files."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def write(frame: Any, path: str) -> tuple[str, dict[str, Any]]:
    """The kind of the file, and further fields of its reference."""
    more: dict[str, Any] = {}
    if type(frame).__name__ == "Series" or not hasattr(frame, "columns"):
        more["series"] = frame.name if isinstance(frame.name, (str, int, float, type(None))) else str(frame.name)
        frame = frame.to_frame("value")
    try:
        frame.to_parquet(path, engine="pyarrow")
    except Exception:  # no pyarrow, or a frame that Parquet cannot hold (column names that are no text, mixed types)
        frame.to_json(path, orient="table", double_precision=15)
        return "table", more
    return "parquet", more


def read(path: str, kind: str, ref: dict[str, Any]) -> Any:
    import pandas  # type: ignore[import-untyped,import-not-found,unused-ignore]

    frame = pandas.read_parquet(path) if kind == "parquet" else pandas.read_json(path, orient="table", precise_float=True)
    if "series" not in ref:
        return frame
    series = frame["value"]
    series.name = ref["series"]
    return series
