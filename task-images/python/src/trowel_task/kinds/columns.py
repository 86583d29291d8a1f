"""A column of a pandas frame as an Arrow array, and what must be known to make the same column of it again.

`encode` gives (array, note): the note is JSON. Arrow's own way (`Table.from_pandas`) is not taken: it changes NaN to None, loses unused
categories, and what it refuses it refuses late. Every dtype has one form here, tests prove each, and any other is an error.
"""

from __future__ import annotations

import json

from trowel_task.kinds import exact, leaves
from trowel_task.kinds.unkept import Unkept

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Note = dict[str, Any]

_TIME_UNITS = ("s", "ms", "us", "ns")


def encode(values: Any) -> tuple[Any, Note]:
    """`values`: a numpy array or an extension array of pandas. Raises Unkept."""
    import numpy

    if type(values).__name__ in ("NumpyExtensionArray", "PandasArray"):
        values = values.to_numpy()
    dtype = values.dtype
    if isinstance(dtype, numpy.dtype):
        array = numpy.asarray(values)
        return _objects(array) if dtype.char == "O" else _numpy(array)
    name = type(dtype).__name__
    if type(dtype).__module__.partition(".")[0] == "pandas":
        if name in _EXTENSIONS:
            return _EXTENSIONS[name](values)
        if hasattr(dtype, "numpy_dtype") and hasattr(dtype, "__from_arrow__"):  # Int64, boolean and the like
            return _masked(values)
    raise Unkept(values, f"its dtype {dtype} ({type(dtype).__module__}.{name}) has no form in Parquet")


def decode(column: Any, note: Note) -> Any:
    """`column`: a ChunkedArray or an Array."""
    return _DECODERS[note["as"]](column, note)


# numpy's own dtypes


def _numpy(values: Any) -> tuple[Any, Note]:
    import numpy
    import pyarrow

    dtype = values.dtype
    note: Note = {"as": "numpy", "dtype": dtype.str}
    if dtype.kind in "mM":
        if numpy.datetime_data(dtype)[1] != 1 or numpy.datetime_data(dtype)[0] not in _TIME_UNITS:
            raise Unkept(values, f"its dtype {dtype} has no form in Parquet")
        if numpy.datetime_data(dtype)[0] == "s" and dtype.kind == "M":
            # Parquet counts milliseconds at the coarsest, and not as far.
            return pyarrow.array(values.view("i8")), {"as": "bits", "dtype": dtype.str}
        return pyarrow.array(values.astype(dtype.newbyteorder("="), copy=False)), note
    if dtype.kind in "biuf" and dtype.itemsize <= 8:
        native = values.astype(dtype.newbyteorder("="), copy=False)
        if dtype.char == "e":
            return pyarrow.array(numpy.ascontiguousarray(native).view("u2")), {"as": "bits", "dtype": dtype.str}
        return pyarrow.array(native, from_pandas=False), note
    data = numpy.ascontiguousarray(values)
    wide = pyarrow.binary(dtype.itemsize)
    if not dtype.itemsize or dtype.kind not in "fc":
        raise Unkept(values, f"its dtype {dtype} has no form in Parquet")
    array = pyarrow.Array.from_buffers(wide, len(data), [None, pyarrow.py_buffer(data.view("u1"))])
    return array, {"as": "bytes", "dtype": dtype.str}


def to_numpy(column: Any) -> Any:
    """Writable: a view of Arrow's memory is not."""
    import pyarrow

    values = column.to_numpy() if isinstance(column, pyarrow.ChunkedArray) else column.to_numpy(zero_copy_only=False)
    return values if values.flags.writeable else values.copy()


def _read_numpy(column: Any, note: Note) -> Any:
    return to_numpy(column).astype(note["dtype"], copy=False)


def _read_bits(column: Any, note: Note) -> Any:
    return to_numpy(column).view(note["dtype"].replace(">", "=")).astype(note["dtype"], copy=False)


def _read_bytes(column: Any, note: Note) -> Any:
    import numpy

    data = b"".join(column.to_pylist())
    return numpy.frombuffer(bytearray(data), note["dtype"])


# Object columns

# Types whose cells Arrow gives back as they were. Of others, and of mixed ones, each cell is JSON.
_NATIVE = {"builtins.str": "string", "builtins.bytes": "binary", "builtins.bool": "bool_", "datetime.date": "date32"}


def _objects(values: Any) -> tuple[Any, Note]:
    import pyarrow

    cells = values.tolist() if values.ndim else [values.item()]
    types = set(map(type, cells))
    missing = types - {type_ for type_ in types if f"{type_.__module__}.{type_.__qualname__}" in _NATIVE}
    native = types - missing
    gap = _gap(cells, missing)
    if len(native) == 1 and gap is not None:
        (kind,) = native
        arrow = getattr(pyarrow, _NATIVE[f"{kind.__module__}.{kind.__qualname__}"])()
        if missing:
            cells = [cell if type(cell) is kind else None for cell in cells]
        try:
            return pyarrow.array(cells, type=arrow, from_pandas=False), {"as": "object", "missing": gap}
        except (UnicodeEncodeError, pyarrow.ArrowInvalid):  # half of a surrogate pair
            cells = values.tolist()
    packed = []
    for row, cell in enumerate(cells):
        try:
            packed.append(json.dumps(exact.pack(cell), separators=(",", ":")))
        except Unkept as unkept:
            raise Unkept(unkept.value, unkept.what, f"[{row}]{unkept.at}", unkept.advised) from None
        except ValueError as error:  # an integer of more digits than Python writes
            raise Unkept(cell, str(error), f"[{row}]") from None
    return pyarrow.array(packed, type=pyarrow.string()), {"as": "json"}


def _gap(cells: list[Any], missing: set[type]) -> Any:
    """What a missing cell is, packed, if it is one thing throughout; None if it is not."""
    if not missing:
        return {"value": None}
    if len(missing) > 1:
        return None
    (kind,) = missing
    if kind is type(None):
        return {"value": None}
    if kind is float and all(cell != cell for cell in cells if type(cell) is float):
        return {"value": exact.pack(float("nan"))}
    if kind.__name__ in ("NAType", "NaTType"):
        return {"value": exact.pack(next(cell for cell in cells if type(cell) is kind))}
    return None


def _object_array(cells: list[Any]) -> Any:
    import numpy

    out: Any = numpy.empty(len(cells), dtype=object)
    for at, cell in enumerate(cells):  # a slice would take lists for rows
        out[at] = cell
    return out


def _read_object(column: Any, note: Note) -> Any:
    import numpy

    cells = column.to_pylist()
    gap = exact.unpack(note["missing"]["value"])
    if gap is not None:
        cells = [gap if cell is None else cell for cell in cells]
    out: Any = numpy.empty(len(cells), dtype=object)
    out[:] = cells
    return out


def _read_json(column: Any, note: Note) -> Any:
    return _object_array([exact.unpack(json.loads(cell)) for cell in column.to_pylist()])


# pandas' dtypes


def _masked(values: Any) -> tuple[Any, Note]:
    import pyarrow

    return pyarrow.array(values), {"as": "extension", "dtype": str(values.dtype)}


def _read_extension(column: Any, note: Note) -> Any:
    import pandas

    return pandas.api.types.pandas_dtype(note["dtype"]).__from_arrow__(column)


def _string(values: Any) -> tuple[Any, Note]:
    import pyarrow

    dtype = values.dtype
    try:
        array = pyarrow.array(values.to_numpy(dtype=object, na_value=None), type=pyarrow.large_string(), from_pandas=False)
    except UnicodeEncodeError:
        raise Unkept(values, "a text in it has half of a surrogate pair, which is not valid UTF-8: .astype(object)", advised=True) from None
    return array, {"as": "string", "storage": dtype.storage, "gap": str(getattr(dtype, "na_value", "<NA>"))}


def _read_string(column: Any, note: Note) -> Any:
    import pandas

    if note["gap"] == "<NA>":
        dtype = pandas.StringDtype(note["storage"])
    else:
        try:
            dtype = pandas.StringDtype(note["storage"], na_value=float("nan"))
        except TypeError:  # pandas 2.1 and 2.2
            dtype = pandas.StringDtype(note["storage"])
    return dtype.__from_arrow__(column)


def _zoned(values: Any) -> tuple[Any, Note]:
    import numpy
    import pyarrow

    dtype = values.dtype
    zone = leaves.zone_of(dtype.tz)
    naive = numpy.asarray(values.tz_convert("UTC").tz_localize(None))
    array, note = _numpy(naive)
    if note["as"] == "numpy":
        array = pyarrow.array(naive, type=pyarrow.timestamp(numpy.datetime_data(naive.dtype)[0], "UTC"))
    return array, {"as": "zoned", "of": note, **zone}


def _read_zoned(column: Any, note: Note) -> Any:
    import pandas

    naive = decode(column, note["of"])
    return pandas.DatetimeIndex(naive).tz_localize("UTC").tz_convert(leaves.zone_from(note)).array


def _period(values: Any) -> tuple[Any, Note]:
    import numpy
    import pyarrow

    return pyarrow.array(numpy.asarray(values.asi8)), {"as": "period", "dtype": str(values.dtype)}


def _read_period(column: Any, note: Note) -> Any:
    import pandas

    dtype = pandas.api.types.pandas_dtype(note["dtype"])
    return pandas.arrays.PeriodArray(to_numpy(column), dtype=dtype)


def _interval(values: Any) -> tuple[Any, Note]:
    import pyarrow

    left, of = encode(values.left.array)
    right, also = encode(values.right.array)
    array = pyarrow.StructArray.from_arrays([left, right], ["left", "right"])
    return array, {"as": "interval", "closed": values.closed, "of": of, "and": also}


def _read_interval(column: Any, note: Note) -> Any:
    import pandas

    left, right = _one(column).flatten()
    return pandas.arrays.IntervalArray.from_arrays(
        pandas.Index(decode(left, note["of"])), pandas.Index(decode(right, note["and"])), closed=note["closed"]
    )


def _sparse(values: Any) -> tuple[Any, Note]:
    import numpy

    dtype = values.dtype
    array, of = encode(numpy.asarray(values.to_dense()).astype(dtype.subtype, copy=False))
    return array, {"as": "sparse", "of": of, "fill": exact.pack(dtype.fill_value), "dtype": dtype.subtype.str}


def _read_sparse(column: Any, note: Note) -> Any:
    import numpy
    import pandas

    dtype = pandas.SparseDtype(numpy.dtype(note["dtype"]), exact.unpack(note["fill"]))
    return pandas.arrays.SparseArray(decode(column, note["of"]), dtype=dtype)


def _arrow(values: Any) -> tuple[Any, Note]:
    import pyarrow

    array = pyarrow.chunked_array(pyarrow.array(values))
    if not pyarrow.types.is_dictionary(array.type):
        return array, {"as": "arrow"}

    # Parquet keeps neither the order of the entries nor those that are not in use, and not every type of them.
    one = _one(array)
    return one.indices, {"as": "dictionary", "of": stream([one.dictionary]), "ordered": array.type.ordered}


def _read_arrow(column: Any, note: Note) -> Any:
    import pandas

    return pandas.ArrowDtype(column.type).__from_arrow__(column)


def _read_dictionary(column: Any, note: Note) -> Any:
    import pyarrow

    (entries,) = from_stream(note["of"])
    array = pyarrow.DictionaryArray.from_arrays(_one(column), _one(entries), ordered=note["ordered"])
    return _read_arrow(pyarrow.chunked_array([array]), note)


def stream(arrays: list[Any]) -> str:
    """Arrow arrays as text."""
    import pyarrow

    table = pyarrow.table(arrays, names=[str(at) for at in range(len(arrays))])
    sink = pyarrow.BufferOutputStream()
    with pyarrow.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return base64_of(sink.getvalue().to_pybytes())


def from_stream(text: str) -> list[Any]:
    import base64

    import pyarrow

    columns: list[Any] = pyarrow.ipc.open_stream(base64.b64decode(text)).read_all().columns
    return columns


def base64_of(data: bytes) -> str:
    import base64

    return base64.b64encode(data).decode("ascii")


def _one(column: Any) -> Any:
    import pyarrow

    if not isinstance(column, pyarrow.ChunkedArray):
        return column
    return pyarrow.concat_arrays(column.chunks) if column.num_chunks else pyarrow.array([], column.type)


_EXTENSIONS: dict[str, Callable[[Any], tuple[Any, Note]]] = {
    "StringDtype": _string,
    "DatetimeTZDtype": _zoned,
    "PeriodDtype": _period,
    "IntervalDtype": _interval,
    "SparseDtype": _sparse,
    "ArrowDtype": _arrow,
}
_DECODERS: dict[str, Callable[[Any, Note], Any]] = {
    "numpy": _read_numpy,
    "bits": _read_bits,
    "bytes": _read_bytes,
    "object": _read_object,
    "json": _read_json,
    "extension": _read_extension,
    "string": _read_string,
    "zoned": _read_zoned,
    "period": _read_period,
    "interval": _read_interval,
    "sparse": _read_sparse,
    "arrow": _read_arrow,
    "dictionary": _read_dictionary,
}
