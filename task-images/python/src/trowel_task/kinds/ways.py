"""What to store in place of an object that cannot be stored. Read only to make an error's text."""

from __future__ import annotations

from trowel_task.kinds.unkept import package

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_FILE = "write it to a file and store that file's pathlib.Path"
_MODEL = f"{_FILE}: joblib.dump(model, 'model.joblib')"
_ONCE = "it can be read only once: store list(…) of it"
_LIST = "store list(…) of it"

# By class, its bases included: the first part of the module, and the name.
_CLASSES = {
    "enum.Enum": "store its .value, or its .name",
    "datetime.datetime": "store .isoformat()",
    "datetime.date": "store .isoformat()",
    "datetime.time": "store .isoformat()",
    "datetime.timedelta": "store .total_seconds()",
    "datetime.tzinfo": "store its name, str(…)",
    "decimal.Decimal": "store str(…) of it",
    "uuid.UUID": "store str(…) of it",
    "builtins.set": "store sorted(…) or list(…) of it",
    "builtins.frozenset": "store sorted(…) or list(…) of it",
    "builtins.range": _LIST,
    "builtins.dict_keys": _LIST,
    "builtins.dict_values": _LIST,
    "builtins.dict_items": _LIST,
    "builtins.mappingproxy": "store dict(…) of it",
    "collections.deque": _LIST,
    "collections.ChainMap": "store dict(…) of it",
    "collections.UserDict": "store dict(…) of it",
    "collections.UserList": _LIST,
    "collections.UserString": "store str(…) of it",
    "array.array": "store .tolist()",
    "builtins.generator": _ONCE,
    "builtins.map": _ONCE,
    "builtins.filter": _ONCE,
    "builtins.zip": _ONCE,
    "builtins.enumerate": _ONCE,
    "builtins.reversed": _ONCE,
    "builtins.coroutine": "await it, asyncio.run(…), and store the result",
    "builtins.BaseException": "store str(…) of it",
    "builtins.type": "store its name as text",
    "builtins.function": "store its name as text",
    "builtins.method": "store its name as text",
    "builtins.builtin_function_or_method": "store its name as text",
    "builtins.module": "store its name as text",
    "builtins.slice": "store its start, stop and step",
    "builtins.ellipsis": "store None or a text",
    "functools.partial": "store the arguments",
    "re.Pattern": "store .pattern",
    "re.Match": "store .group() or .groupdict()",
    "ipaddress._IPAddressBase": "store str(…) of it",
    "io.StringIO": "store .getvalue()",
    "io.BytesIO": "store .getvalue()",
    "_io.StringIO": "store .getvalue()",
    "_io.BytesIO": "store .getvalue()",
    "_io._IOBase": "close it and store pathlib.Path(its name)",
    "tempfile._TemporaryFileWrapper": "close it and store pathlib.Path(its name)",
    "requests.Response": "store .json(), .text or .content",
    "httpx.Response": "store .json(), .text or .content",
    "sqlite3.Cursor": "store .fetchall()",
    "sqlite3.Row": "store dict(…) of it",
    "sqlite3.Connection": "open it in each task",
    "pydantic.BaseModel": "store .model_dump() (pydantic 1: .dict())",
    "polars.LazyFrame": "it is not computed yet: store .collect()",
    "polars.Expr": "store the frame that it makes",
    "polars.GroupBy": "store what it is aggregated to",
    "pyarrow.Array": "store .to_pylist(), or a pyarrow.table that has it as a column",
    "pyarrow.ChunkedArray": "store .to_pylist(), or a pyarrow.table that has it as a column",
    "pyarrow.Scalar": "store .as_py()",
    "pyarrow.Schema": "store str(…) of it, or a table of it: .empty_table()",
    "pyarrow.RecordBatchReader": "store .read_all()",
    "pyarrow.Dataset": "store .to_table()",
    "pandas.DataFrame": "store pandas.DataFrame(…) of it, or write it to a file and store that file's pathlib.Path",
    "pandas.Series": "store pandas.Series(…) of it",
    "pandas.ExtensionArray": "store pandas.Series(…) of it",
    "pandas.DataFrameGroupBy": "store what it is aggregated to",
    "pandas.SeriesGroupBy": "store what it is aggregated to",
    "pandas.BaseOffset": "store .freqstr",
    "pandas.DateOffset": "store .freqstr",
    "numpy.MaskedArray": "store .filled(…), and .mask if it is needed",
    "numpy.ndarray": "store numpy.asarray(…) of it",
    "numpy.dtype": "store str(…) of it",
    "numpy.Generator": "store the seed",
    "torch.Tensor": "store .numpy(force=True)",
    "torch.Module": f"{_FILE}: torch.save(model.state_dict(), 'model.pt')",
    "scipy._spbase": f"{_FILE}: scipy.sparse.save_npz('matrix.npz', matrix)",
    "scipy.spmatrix": f"{_FILE}: scipy.sparse.save_npz('matrix.npz', matrix)",
    "xarray.Dataset": f"{_FILE}: .to_netcdf('data.nc')",
    "xarray.DataArray": f"{_FILE}: .to_netcdf('data.nc')",
    "PIL.Image": f"{_FILE}: .save('image.png')",
    "matplotlib.Figure": f"{_FILE}: .savefig('figure.png')",
    "plotly.Figure": "store .to_json()",
}
# By the first part of the module, where no class fits.
_PACKAGES = {
    "sklearn": _MODEL,
    "xgboost": f"{_MODEL}, or .save_model('model.json')",
    "lightgbm": f"{_MODEL}, or .save_model('model.txt')",
    "catboost": f"{_MODEL}, or .save_model('model.cbm')",
    "statsmodels": _MODEL,
    "keras": f"{_FILE}: .save('model.keras')",
    "tensorflow": f"{_FILE}: .save('model.keras')",
    "dask": "it is not computed yet: store .compute()",
    "pyspark": "store .toPandas(), or write it as Parquet and store the address as text",
    "sqlalchemy": "store rows as dicts or lists: dict(row._mapping)",
    "duckdb": "store .df() or .arrow()",
}
_ASDICT = (
    ("__dataclass_fields__", "store dataclasses.asdict(…) of it"),
    ("__attrs_attrs__", "store attrs.asdict(…) of it"),
)


def out(value: Any) -> str:
    """A clause without its full stop."""
    kind = type(value)
    for mark, way in _ASDICT:
        if hasattr(kind, mark):
            return way
    for base in kind.__mro__:
        way = _CLASSES.get(f"{package(base)}.{base.__name__}", "")
        if way:
            return way
    found = _PACKAGES.get(package(kind))
    if found:
        return found
    if hasattr(value, "__next__"):
        return _ONCE
    return f"store a dict of its content, or {_MODEL.replace('model', 'x')}"


def can_be_pickled(value: Any) -> bool:
    """Whether `values: {pickle: true}` may be advised: not for what lives in this process only."""
    kind = type(value)
    return not hasattr(value, "__next__") and package(kind) not in ("builtins", "_io", "sqlite3", "tempfile", "enum", "array", "re")
