"""pandas objects as Parquet. The file's columns are the frame's and then its index's; what Parquet has no place for (labels, dtypes,
names, attributes) is JSON in its metadata, `trowel`. Files without that are those of earlier versions: pandas reads them as it did.
"""

from __future__ import annotations

import json

from trowel_task.kinds import columns, exact, indexes
from trowel_task.kinds.unkept import Unkept

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_META = b"trowel"


def keeps(value: Any, pandas: Any) -> bool:
    """Whether it is one of the objects that `write` takes. A subclass (GeoDataFrame) has more than this keeps."""
    return type(value) in (pandas.DataFrame, pandas.Series) or isinstance(value, pandas.Index)


def write(value: Any, path: str) -> dict[str, Any]:
    """Further fields of the reference. Raises Unkept, and ImportError without pyarrow."""
    import pandas

    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        raise ImportError("is kept as Parquet, for which pyarrow is missing: add a line pyarrow to requirements.txt") from None
    names: list[str] = []
    arrays: list[Any] = []
    meta: dict[str, Any] = {"v": 1, "of": "index"}
    if isinstance(value, pandas.Index):
        index = value
    else:
        index = value.index
        meta["of"] = "frame" if isinstance(value, pandas.DataFrame) else "series"
        meta["notes"] = _columns(value, names, arrays)
        if meta["of"] == "frame":
            meta["columns"] = indexes.labels(value.columns)
        else:
            meta["name"] = indexes.packed(value.name, "its name")
        if value.attrs:
            meta["attrs"] = indexes.packed(value.attrs, "its attrs")
        if not value.flags.allows_duplicate_labels:
            meta["unique"] = True
    own = {"index": indexes.encode(index, names, arrays)}
    schema = pyarrow.schema([pyarrow.field(name, array.type) for name, array in zip(names, arrays)])
    meta["schema"] = columns.base64_of(schema.serialize().to_pybytes())
    table = pyarrow.Table.from_arrays(arrays, schema=schema.with_metadata({_META: json.dumps({**meta, **own}).encode()}))
    texts = [name for name, array in zip(names, arrays) if pyarrow.types.is_large_string(array.type) or pyarrow.types.is_string(array.type)]
    try:
        parquet.write_table(table, path, version="2.6", use_dictionary=texts or False, write_statistics=False)
        _as_was(parquet.read_schema(path).empty_table(), schema)
    except pyarrow.ArrowException as error:
        raise _refused(value, arrays, error) from None
    return {"as": f"pandas.{type(value).__name__}"}


def _as_was(table: Any, wanted: Any) -> Any:
    """A table that was read, in the types that were written. Types count as equal whatever their parts are called."""
    return table if list(map(str, table.schema.types)) == list(map(str, wanted.types)) else table.cast(wanted)


def _refused(value: Any, arrays: list[Any], error: Exception) -> Unkept:
    import pyarrow
    from pyarrow import parquet

    labels = list(value.columns) if value.ndim == 2 else []
    for at, array in enumerate(arrays):
        table = pyarrow.table([array], ["x"])
        sink = pyarrow.BufferOutputStream()
        try:
            parquet.write_table(table, sink, version="2.6")
            _as_was(parquet.read_schema(pyarrow.BufferReader(sink.getvalue())).empty_table(), table.schema)
        except pyarrow.ArrowException:
            which = f"its column {labels[at]!r}" if at < len(labels) else "it"
            return Unkept(
                value, f"{which} has the type {array.type}, which Parquet does not keep: .astype(str), or another dtype", advised=True
            )
    return Unkept(value, f"pyarrow cannot write it as Parquet: {error}", advised=True)


def _columns(value: Any, names: list[str], arrays: list[Any]) -> list[Any]:
    frame = value.ndim == 2
    names_of = list(value.columns) if frame else [value.name]
    plain = all(type(label) is str and not label.startswith(indexes.PREFIX) for label in names_of) and len(set(names_of)) == len(names_of)
    notes = []
    for at, label in enumerate(names_of):
        series = value.iloc[:, at] if frame else value
        try:
            array, note = indexes.encode_column(series.array)
        except Unkept as unkept:
            raise indexes.of_column(unkept, series, f"its column {label!r}" if frame else "its values") from None
        names.append(label if plain and _is_utf8(label) else str(at))
        arrays.append(array)
        notes.append(note)
    return notes


def _is_utf8(text: str) -> bool:
    return text.isascii() or text == text.encode("utf-8", "replace").decode("utf-8")


# Reading


def read(path: str, ref: dict[str, Any]) -> Any:
    """A file of `write`'s, or one of an earlier version: `kind` parquet or table, `series` its name if it was one."""
    import pandas

    if ref.get("kind") == "table":
        return _series(pandas.read_json(path, orient="table", precise_float=True), ref)
    from pyarrow import parquet

    # Not read_table, which looks for `key=value` in the path.
    file = parquet.ParquetFile(path)
    told = (file.schema_arrow.metadata or {}).get(_META)
    if told is None:
        return _series(pandas.read_parquet(path), ref)
    return _made(file.read(), json.loads(told))


def _series(frame: Any, ref: dict[str, Any]) -> Any:
    if "series" not in ref:
        return frame
    series = frame["value"]
    series.name = ref["series"]
    return series


def _made(table: Any, meta: dict[str, Any]) -> Any:
    import base64

    import pandas
    import pyarrow

    wanted = pyarrow.ipc.read_schema(pyarrow.py_buffer(base64.b64decode(meta["schema"])))
    table = _as_was(table, wanted)
    notes = meta.get("notes", [])
    index = indexes.decode(meta["index"], iter(table.columns[len(notes) :]).__next__)
    if meta["of"] == "index":
        return index
    series = []
    for at, note in enumerate(notes):
        values = indexes.decode_column(table.column(at), note)
        # With its dtype: pandas makes other things of texts and dates than they were.
        series.append(pandas.Series(values, index=index, dtype=values.dtype, copy=False))
    if meta["of"] == "series":
        out = series[0]
        out.name = exact.unpack(meta["name"])
    else:
        out = pandas.DataFrame(dict(enumerate(series)), index=index, copy=False)
        out.columns = indexes.from_labels(meta["columns"])
    out.attrs = exact.unpack(meta["attrs"]) if "attrs" in meta else {}
    return out.set_flags(allows_duplicate_labels=False) if "unique" in meta else out
