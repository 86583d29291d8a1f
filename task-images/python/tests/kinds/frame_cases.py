"""pandas objects of every kind that is kept, by what is particular about each."""

import datetime as dt
import decimal
import uuid
import zoneinfo

import numpy as np
import pandas as pd
import pyarrow as pa

D, N = decimal.Decimal, float("nan")
tokyo = zoneinfo.ZoneInfo("Asia/Tokyo")


def column(values, dtype=None):
    return pd.DataFrame({"x": pd.Series(values, dtype=dtype)})


def objects(*cells):
    out = np.empty(len(cells), dtype=object)
    for at, cell in enumerate(cells):
        out[at] = cell
    return pd.Series(out, dtype=object)


def rows(index):
    return pd.DataFrame({"x": range(len(index))}, index=index)


def labels(names):
    return pd.DataFrame([list(range(len(names)))], columns=names)


def numbers():
    for dtype in ["i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8", "?", ">i4", ">f8", "c8", "c16"]:
        yield dtype, column(np.array([0, 1, 1], dtype=dtype))
    yield "floats", column([N, np.inf, -np.inf, -0.0, 0.1, 5e-324, 1.7976931348623157e308])
    yield "half floats", column(np.array([N, np.inf, 1], "f2"))
    yield "complex NaN", column(np.array([complex(N, np.inf), -0j]))
    yield "a hundred thousand floats", column(np.random.default_rng(0).random(100_000))


def times():
    for unit in ["s", "ms", "us", "ns"]:
        yield f"datetime64[{unit}]", column(np.array(["2024-01-01T00:00:01", "NaT"], dtype=f"M8[{unit}]"))
        yield f"timedelta64[{unit}]", column(np.array([5, "NaT"], dtype=f"m8[{unit}]"))
    yield "far seconds", column(np.array([2**60, -(2**60)], dtype="M8[s]"))
    yield "nanoseconds", column(pd.to_datetime([1700000000123456789, None]))
    utc = pd.Series(pd.to_datetime(["2024-10-27 00:30", "2024-10-27 01:30", None])).dt.tz_localize("UTC")
    zones = [tokyo, "UTC", dt.timezone.utc, dt.timezone(dt.timedelta(hours=5.5)), dt.timezone(dt.timedelta(hours=1), "X"), "Europe/Berlin"]
    for zone in zones:
        yield f"zone {zone!r}", column(utc.dt.tz_convert(zone))
        yield f"zone {zone!r}, seconds", column(utc.dt.tz_convert(zone).dt.as_unit("s"))
    for freq in ["D", "M", "W-SUN", "Q-NOV", "h", "2D"]:
        yield f"period {freq}", column(pd.PeriodIndex(["2024-01-01", None], freq=freq))


def extensions():
    for dtype, values in {
        "string": ["a", None],
        "string[python]": ["é", None, ""],
        "string[pyarrow]": ["a", None],
        "Int64": [2**63 - 1, None, -(2**63)],
        "Int8": [1, None],
        "UInt64": [2**64 - 1, None],
        "Float32": [0.1, None],
        "boolean": [True, None],
    }.items():
        yield dtype, column(values, dtype)
        yield f"{dtype}, empty", column([], dtype)
    yield "Float64 with NaN and NA", column(pd.Series([0.0, 1.0, None], dtype="Float64") / pd.Series([0.0, 1.0, 1.0], dtype="Float64"))
    yield "categories", column(pd.Categorical(["b", "a", None], categories=["c", "b", "a"], ordered=True))
    yield "categories, numbers", column(pd.Categorical([3, 1, 3]))
    yield "categories, intervals", column(pd.cut(pd.Series([1, 5, 9]), [0, 4, 8, 12]))
    yield "categories, dates", column(pd.Categorical(pd.to_datetime(["2024-01-01", "2024-01-02"])))
    yield "categories, mixed", column(pd.Categorical([1, "a"]))
    yield "categories, range", column(pd.Categorical.from_codes([0, 1], categories=pd.RangeIndex(4)))
    yield "categories, named", column(pd.Categorical(["x"], categories=pd.Index(["x", "y"], dtype=object, name="n")))
    yield "intervals", column(pd.arrays.IntervalArray.from_breaks([0, 1, 2], closed="left"))
    yield "intervals, missing", column(pd.arrays.IntervalArray.from_tuples([(0.5, 1.0), N]))
    days = pd.to_datetime(["2024-01-01", "2024-01-02"]).tz_localize("Asia/Tokyo")
    yield "intervals, dates", column(pd.arrays.IntervalArray.from_breaks(days))
    yield "sparse", column(pd.arrays.SparseArray([0, 0, 1]))
    yield "sparse, NaN", column(pd.arrays.SparseArray([N, N, 1.5]))
    yield "sparse, filled", column(pd.arrays.SparseArray([7, 1, 7], fill_value=7))


def arrow_types():
    for kind, cell in [
        (pa.int8(), 1),
        (pa.string(), "a"),
        (pa.large_string(), "a"),
        (pa.timestamp("s"), dt.datetime(2024, 1, 1)),
        (pa.timestamp("ns", "Asia/Tokyo"), dt.datetime(2024, 1, 1)),
        (pa.list_(pa.int16()), [1]),
        (pa.decimal128(10, 2), D("1.10")),
        (pa.date32(), dt.date(2024, 1, 1)),
        (pa.duration("us"), dt.timedelta(1)),
        (pa.bool_(), True),
        (pa.float64(), 0.5),
        (pa.struct([("a", pa.int8())]), {"a": 1}),
        (pa.dictionary(pa.int8(), pa.string()), "a"),
        (pa.dictionary(pa.int32(), pa.int64(), ordered=True), 5),
        (pa.decimal256(50, 3), D("1.100")),
        (pa.map_(pa.string(), pa.int8()), [("k", 1)]),
        (pa.binary(2), b"ab"),
        (pa.timestamp("s", "+05:30"), dt.datetime(2024, 1, 1)),
        (pa.time64("ns"), None),
        (pa.null(), None),
        (pa.binary(), b"\xff"),
    ]:
        yield f"{kind}[pyarrow]", column(pd.arrays.ArrowExtensionArray(pa.chunked_array([pa.array([cell, None], type=kind)])))


def cells():
    for name, values in {
        "text": ["a", "b"],
        "text, None": ["a", None],
        "text, NaN": ["a", N],
        "text, NA": ["a", pd.NA],
        "text, NaT": ["a", pd.NaT],
        "text, None and NaN": ["a", None, N],
        "mixed": [1, "n/a"],
        "large numbers": [1, 2**70],
        "booleans": [True, None, False],
        "booleans and numbers": [True, 1, 1.0],
        "bytes": [b"\xff", None],
        "dates": [dt.date(1, 1, 1), None, dt.date(9999, 12, 31)],
        "datetimes": [dt.datetime(2024, 1, 1, tzinfo=tokyo), None],
        "times": [dt.time(1, 2, 3, 4, tzinfo=dt.timezone.utc), dt.timedelta(days=-1, microseconds=1)],
        "Decimals": [D("1.1"), D("2.25"), D("NaN"), D("-0E+5"), None],
        "lists": [[1], [2, [3]], None],
        "tuples": [(1, (2,)), ()],
        "sets": [{1, 2}, frozenset("a")],
        "dicts": [{"a": 1}, {1: "x"}, {"trowel:ref": "x"}],
        "arrays": [np.arange(3), np.zeros((0, 2))],
        "numpy's numbers": [np.int64(1), np.float32(0.5), np.datetime64("2024-01-01T00:00:00.000000001")],
        "pandas' own": [pd.Timestamp("2024-01-01", tz=tokyo), pd.Timedelta(1), pd.NaT, pd.NA, pd.Period("2024-01", "M"), pd.Interval(1, 2)],
        "UUIDs": [uuid.UUID(int=5)],
        "floats": [1.5, N, None],
        "half of a surrogate pair": ["\ud800", "a"],
        "complex": [1j, complex(N, -0.0)],
        "none": [],
        "only None": [None, None],
        "only NaN": [N, N],
        "numbers, None": [1, None],
    }.items():
        yield f"objects: {name}", pd.DataFrame({"x": objects(*values)})


def columns():
    yield "numbers as labels", pd.DataFrame([[1.5, 2.5], [3.5, 4.5]])
    yield "years as labels", pd.DataFrame({2023: [1], 2024: [2]})
    yield "labels twice", pd.DataFrame([[1, 2.5, "x"]], columns=["a", "a", "b"])
    yield "labels, mixed", labels(["a", 1, (1, 2), None])
    yield "labels of other types", labels([True, 1.5, dt.date(2024, 1, 1)])
    yield "tuples as labels", labels(pd.Index([("a", 1), ("b", 2)], tupleize_cols=False))
    yield "two levels of labels", labels(pd.MultiIndex.from_tuples([("a", 1), ("b", 2)], names=["p", None]))
    yield "dates as labels", labels(pd.to_datetime(["2024-01-01", "2024-01-02"]).tz_localize("Asia/Tokyo"))
    yield "labels with a name", labels(pd.Index(["a", "b"], name="cols"))
    yield "categories as labels", labels(pd.CategoricalIndex(["a", "b"], categories=["b", "a", "z"], ordered=True))
    yield "intervals as labels", labels(pd.IntervalIndex.from_breaks([0, 1, 2]))
    yield "odd labels", labels(["a.b", "", "trowel:index:0", "x\0y"])
    yield "half of a surrogate pair as a label", labels(pd.Index(["\ud800"], dtype=object))
    yield "NaN as a label", labels(pd.Index([N, 1.0]))
    yield "300 columns", pd.DataFrame(np.random.default_rng(0).random((3, 300)))


def indexes():
    yield "range", rows(pd.RangeIndex(3, 9, 2, name="r"))
    yield "text, twice", rows(pd.Index(["b", "a", "a"]))
    yield "a tuple for a name", rows(pd.Index([1, 2], name=("a", 1)))
    yield "small integers", rows(pd.Index(np.array([1, 2], "i4")))
    yield "index with NaN", rows(pd.Index([0.5, N]))
    yield "hours", rows(pd.date_range("2024-01-01", periods=3, freq="h", tz="Asia/Tokyo"))
    yield "weeks", rows(pd.date_range("2024-01-01", periods=3, freq="W-TUE"))
    yield "days across summer time", rows(pd.date_range("2024-03-01", periods=60, freq="D", tz="Europe/Berlin"))
    shifted = pd.date_range("2024-03-30 02:30", periods=2, freq="D", tz="Europe/Berlin", nonexistent="shift_forward")
    yield "days of which one is shifted", rows(shifted)
    yield "months, backwards", rows(pd.date_range("2024-03-31", periods=3, freq="-2ME", unit="s"))
    yield "no hours", rows(pd.date_range("2024-01-01", periods=0, freq="2h"))
    yield "durations", rows(pd.timedelta_range("1h", periods=3, freq="30min", name="t"))
    yield "periods", rows(pd.period_range("2024-01", periods=3, freq="M"))
    yield "index of categories", rows(pd.CategoricalIndex(["a", "b"], categories=["b", "a", "z"]))
    yield "index of intervals", rows(pd.IntervalIndex.from_breaks([0, 1, 2], name="iv"))
    yield "index Int64", rows(pd.Index([1, None], dtype="Int64"))
    yield "index of objects", rows(pd.Index([1, "a", None], dtype=object))
    yield "index of booleans", rows(pd.Index([True, False]))
    levels = pd.MultiIndex.from_product([["b", "a"], [2, 1]], names=["k", None])
    yield "levels", rows(levels)
    yield "levels, some unused", rows(levels).iloc[2:]
    dates = pd.to_datetime(["2024-01-01", None])
    yield "levels with one name", rows(pd.MultiIndex.from_arrays([dates, ["x", None]], names=["k", "k"]))
    yield "levels, no rows", rows(pd.MultiIndex.from_arrays([[], []]))
    yield "one level", rows(pd.MultiIndex.from_arrays([[1, 2]]))
    for index in (pd.Index(["a", "b"], name="i"), pd.RangeIndex(5), levels, pd.date_range("2024", periods=3, freq="D")):
        yield f"only a {type(index).__name__}", index


def shapes():
    yield "nothing", pd.DataFrame()
    yield "no rows", pd.DataFrame(columns=["a", "b"])
    typed = {"a": pd.Series([], dtype="i4"), "b": pd.Series([], dtype="M8[ns]"), "c": pd.Series([], dtype=object), "d": pd.Categorical([])}
    yield "no rows, typed", pd.DataFrame(typed)
    yield "no columns", pd.DataFrame(index=pd.Index(["a", "b"]))
    yield "no columns, range", pd.DataFrame(index=range(5))
    frame = pd.DataFrame({"x": [1]})
    frame.attrs = {"source": ("a", 1), "when": dt.date(2024, 1, 1)}
    yield "attrs", frame
    yield "flags", pd.DataFrame({"x": [1]}).set_flags(allows_duplicate_labels=False)
    for name in ("n", ("a", 1), dt.date(2024, 1, 1), 5, None):
        yield f"series {name!r}", pd.Series(["a", None], name=name, index=["p", "q"])
    series = pd.Series([1, 2], dtype="f4")
    series.attrs = {"unit": "m"}
    yield "series with attrs", series


def cases():
    for group in (numbers, times, extensions, arrow_types, cells, columns, indexes, shapes):
        yield from group()
