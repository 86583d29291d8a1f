"""Indexes of pandas: of rows, whose values are columns of the frame's file, and labels, categories, levels, which are in its metadata."""

from __future__ import annotations

from trowel_task.kinds import columns, exact
from trowel_task.kinds.unkept import Unkept, named

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

PREFIX = "trowel:index:"


def encode(index: Any, names: list[str], arrays: list[Any]) -> dict[str, Any]:
    """Its values become columns: they are as many as the rows."""

    def add(array: Any) -> None:
        names.append(f"{PREFIX}{len(names)}")
        arrays.append(array)

    return _described(index, add, "its index")


def labels(index: Any) -> dict[str, Any]:
    """An index that is not a column of the file: labels of columns, categories, levels."""
    kept: list[Any] = []
    made = _described(index, kept.append, "its columns")
    return {**made, "aside": columns.stream(kept)} if kept else made


def _described(index: Any, add: Callable[[Any], None], what: str) -> dict[str, Any]:
    if type(index).__name__ == "RangeIndex":
        return {"range": [index.start, index.stop, index.step], "name": packed(index.name, f"the name of {what}")}
    try:
        if index.nlevels > 1 or type(index).__name__ == "MultiIndex":
            # Levels and codes, not values: the order of the levels is that of a later unstack, and some may be unused.
            levels = [labels(level.rename(None)) for level in index.levels]
            for codes in index.codes:
                add(columns.encode(codes)[0])
            return {"levels": levels, "names": [packed(name, f"a name of {what}") for name in index.names], "sort": index.sortorder}
        array, note = encode_column(index.array)
    except Unkept as unkept:
        raise of_column(unkept, index, what) from None
    add(array)
    made: dict[str, Any] = {"note": note, "name": packed(index.name, f"the name of {what}")}
    frequency = getattr(index, "freq", None)
    if frequency is not None and note["as"] != "period":
        made["freq"] = frequency.freqstr
        if _offset(frequency.freqstr) != frequency:
            raise Unkept(index, f"{what} has a frequency of its own, {frequency!r}: .freq = None", advised=True)
    return made


def decode(made: dict[str, Any], take: Callable[[], Any]) -> Any:
    import pandas

    if "range" in made:
        return pandas.RangeIndex(*made["range"], name=exact.unpack(made["name"]))
    if "levels" in made:
        levels = [from_labels(level) for level in made["levels"]]
        codes = [columns.decode(take(), {"as": "numpy", "dtype": "<i8"}) for _ in levels]
        names = [exact.unpack(name) for name in made["names"]]
        return pandas.MultiIndex(levels, codes, names=names, sortorder=made["sort"], verify_integrity=False)
    values = decode_column(take(), made["note"])
    name = exact.unpack(made["name"])
    if "freq" in made:
        maker = pandas.TimedeltaIndex if values.dtype.kind == "m" else pandas.DatetimeIndex
        index = maker(values, name=name)
        try:
            index.freq = made["freq"]
        except ValueError:  # pandas' check knows no summer time, so it refuses the days that its own date_range made
            for holder in (index, index._data):  # of pandas 3 and before
                if hasattr(holder, "_freq"):
                    holder._freq = _offset(made["freq"])
        return index
    # Not by the keyword of Index, which takes a tuple for the names of levels.
    return pandas.Index(values, dtype=values.dtype, tupleize_cols=False).rename(name)


def _offset(text: str) -> Any:
    from pandas.tseries import frequencies

    try:
        return frequencies.to_offset(text)
    except ValueError:  # a frequency that has no text
        return None


def from_labels(made: dict[str, Any]) -> Any:
    if "aside" not in made:
        return decode(made, lambda: None)
    return decode(made, iter(columns.from_stream(made["aside"])).__next__)


# Columns whose categories are an index; all others are columns.py's.


def encode_column(values: Any) -> tuple[Any, dict[str, Any]]:
    """As columns.encode."""
    return _categorical(values) if type(values.dtype).__name__ == "CategoricalDtype" else columns.encode(values)


def decode_column(column: Any, note: dict[str, Any]) -> Any:
    """As columns.decode."""
    return _read_categorical(column, note) if note["as"] == "categorical" else columns.decode(column, note)


def _categorical(values: Any) -> tuple[Any, dict[str, Any]]:
    import numpy
    import pyarrow

    index = values.categories
    return pyarrow.array(numpy.asarray(values.codes)), {
        "as": "categorical",
        "ordered": bool(values.ordered),
        "of": labels(index),
    }


def _read_categorical(column: Any, note: dict[str, Any]) -> Any:
    import pandas

    categories = from_labels(note["of"])
    dtype = pandas.CategoricalDtype(categories, ordered=note["ordered"])
    return pandas.Categorical.from_codes(columns.to_numpy(column), dtype=dtype)


# Words for what cannot be kept


def of_column(unkept: Unkept, series: Any, column: str) -> Unkept:
    """An error of columns.encode, for its user: of the column as a whole, or of the cell at `unkept.at`."""
    if not unkept.at:
        return Unkept(series, f"{column}: {unkept.what or _advice(series.dtype)}", advised=True)
    cell = f"in {column} is a {named(unkept.value)} at {unkept.at} (dtype {series.dtype})"
    what = f"{cell}{', ' + unkept.what if unkept.what else ''}: make text or numbers of it, as .astype(str) does"
    return Unkept(series, what, advised=True)


def _advice(dtype: Any) -> str:
    return f"its dtype {dtype} has no form in Parquet: .astype(str), or a dtype of pandas"


def packed(value: Any, what: str) -> Any:
    try:
        return exact.pack(value)
    except Unkept as unkept:
        where = f" at {unkept.at}" if unkept.at else ""
        told = f"in {what} is a {named(unkept.value)}{where}: use text or numbers there"
        raise Unkept(value, told, advised=True) from None
