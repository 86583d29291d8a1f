"""Tables of polars and Arrow as Parquet; an Arrow table whose types Parquet would change (dictionaries, say) as Arrow's own file."""

from __future__ import annotations

from trowel_task.kinds.unkept import Unkept

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def write_polars(value: Any, path: str) -> dict[str, Any]:
    import polars

    name = type(value).__name__
    frame = value if name == "DataFrame" else value.to_frame()
    for column, dtype in frame.schema.items():
        if dtype == polars.Object:
            raise Unkept(
                value, f"its column {column!r} contains Python objects (dtype Object): .cast(polars.String) or numbers", advised=True
            )
    with open(path, "wb") as file:
        try:
            frame.write_parquet(file)
        except polars.exceptions.PolarsError as error:
            raise _refused(value, frame, error) from None
    read = _schema(polars, path, 0)
    if read != frame.schema:
        read = _schema(polars, path, None)  # categories come with rows in some versions
    for column, dtype in frame.schema.items():
        if read.get(column) != dtype:
            raise Unkept(
                value,
                f"its column {column!r} has the dtype {dtype}, of which Parquet makes {read.get(column)}: .cast(…) it first",
                advised=True,
            )
    if not frame.width and frame.height:
        raise Unkept(value, "it has rows and no columns, which Parquet does not keep")
    return {"as": f"polars.{name}"}


def _refused(value: Any, frame: Any, error: Exception) -> Unkept:
    import io

    import polars

    for column, dtype in frame.schema.items():
        try:
            frame.select(column).write_parquet(io.BytesIO())
        except polars.exceptions.PolarsError:
            return Unkept(
                value, f"its column {column!r} has the dtype {dtype}, which Parquet does not keep: .cast(…) it first", advised=True
            )
    return Unkept(value, f"polars cannot write it as Parquet: {error}", advised=True)


def _schema(polars: Any, path: str, rows: int | None) -> Any:
    with open(path, "rb") as file:
        return polars.read_parquet(file, n_rows=rows).schema


def read_polars(path: str, kind: str) -> Any:
    import polars

    with open(path, "rb") as file:  # a path may look like a pattern
        frame = polars.read_parquet(file)
    return frame if kind == "polars.DataFrame" else frame.to_series()


def write_arrow(value: Any, path: str) -> dict[str, Any]:
    """Returns further fields of the reference; a `kind` among them replaces `parquet`."""
    import pyarrow
    from pyarrow import parquet

    name = type(value).__name__
    table = pyarrow.Table.from_batches([value]) if name == "RecordBatch" else value
    try:
        if table.num_columns and not any(map(_changes, table.schema.types)):
            parquet.write_table(table, path, version="2.6")
            if _same(parquet.read_schema(path), table.schema):
                return {"as": f"pyarrow.{name}"}
    except pyarrow.ArrowException:
        pass
    try:
        with pyarrow.OSFile(path, "wb") as file, pyarrow.ipc.new_file(file, table.schema) as writer:
            writer.write_table(table.unify_dictionaries())
    except pyarrow.ArrowException as error:
        raise Unkept(value, f"Arrow cannot write it: {error}", advised=True) from None
    return {"as": f"pyarrow.{name}", "kind": "arrow"}


def _changes(dtype: Any) -> bool:
    """Types within which Parquet changes what the schema does not show: the entries of a dictionary and their order."""
    import pyarrow

    if pyarrow.types.is_dictionary(dtype):
        return True
    return any(_changes(dtype.field(at).type) for at in range(dtype.num_fields))


def _same(one: Any, other: Any) -> bool:
    return bool(one.equals(other, check_metadata=True)) and list(map(str, one.types)) == list(map(str, other.types))


def read_arrow(path: str, name: str, kind: str) -> Any:
    import pyarrow
    from pyarrow import parquet

    if kind == "arrow":
        with pyarrow.OSFile(path, "rb") as file:
            table = pyarrow.ipc.open_file(file).read_all()
    else:
        table = parquet.ParquetFile(path).read()
    if name == "pyarrow.Table":
        return table
    batches = table.combine_chunks().to_batches()
    return batches[0] if batches else pyarrow.RecordBatch.from_pylist([], schema=table.schema)
