"""A pandas frame is what it was."""

import subprocess
import sys
import textwrap

import pytest
from conftest import SOURCE
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

np = pytest.importorskip("numpy", reason="numpy is in test/requirements.txt for Python 3.11")
pd = pytest.importorskip("pandas", reason="pandas is in test/requirements.txt for Python 3.11")
pa = pytest.importorskip("pyarrow", reason="pyarrow is in test/requirements.txt for Python 3.11")

from frame_cases import cases, column, objects  # noqa: E402

from trowel_task.kinds import frames  # noqa: E402
from trowel_task.store import values  # noqa: E402
from trowel_task.store.store import Store  # noqa: E402


def identical(a, b):
    """Also in type, unlike pandas' own comparison."""
    if type(a) is not type(b):
        return False
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(identical, a, b))
    if isinstance(a, dict):
        return list(a) == list(b) and all(identical(a[key], b[key]) for key in a)
    if isinstance(a, np.ndarray):
        return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    if a is None or a is pd.NA or a is pd.NaT:
        return a is b
    return repr(a) == repr(b)


def assert_index(a, b):
    assert (type(a), repr(a.dtype), identical(list(a.names), list(b.names))) == (type(b), repr(b.dtype), True)
    assert getattr(a, "freq", None) == getattr(b, "freq", None)
    assert identical(list(a), list(b))
    for mine, other in zip(getattr(a, "levels", []), getattr(b, "levels", [])):
        assert_index(mine, other)


def assert_series(a, b):
    assert (type(a), repr(a.dtype), type(a.array)) == (type(b), repr(b.dtype), type(b.array))
    assert identical(a.name, b.name)
    assert identical(list(a), list(b))
    if isinstance(a.dtype, np.dtype) and a.dtype != object:
        assert a.to_numpy().tobytes() == b.to_numpy().tobytes()
        assert b.to_numpy(copy=True).flags.writeable
    if isinstance(a.dtype, pd.CategoricalDtype):
        assert_index(a.cat.categories, b.cat.categories)
    pd.testing.assert_series_equal(a, b)


def assert_same(a, b):
    assert type(a) is type(b)
    if isinstance(a, pd.Index):
        return assert_index(a, b)
    assert_index(a.index, b.index)
    assert identical(a.attrs, b.attrs) and a.flags.allows_duplicate_labels == b.flags.allows_duplicate_labels
    if isinstance(a, pd.Series):
        return assert_series(a, b)
    assert_index(a.columns, b.columns)
    assert a.shape == b.shape
    for at in range(a.shape[1]):
        assert_series(a.iloc[:, at], b.iloc[:, at])
    return None


def through(value, folder):
    store = Store(str(folder))
    stored = store.encode(store.take({"x": value}))
    assert stored["x"]["kind"] == "parquet"
    return values.resolve(dict(stored["x"]))


CASES = list(cases())


@pytest.mark.parametrize("value", [value for _, value in CASES], ids=[name for name, _ in CASES])
def test_it_is_what_it_was(value, tmp_path):
    assert_same(value, through(value, tmp_path / "a=b [x]*"))


def test_it_may_be_written_to(tmp_path):
    frame = through(pd.DataFrame({"a": [1, 2], "b": [0.5, 1.5], "c": ["x", "y"]}), tmp_path)
    frame.loc[0, "a"] = 5
    frame["b"] += 1
    frame["d"] = 0
    assert frame.iloc[0].tolist() == [5, 1.5, "x", 0]


scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text(max_size=4)
    | st.binary(max_size=3)
    | st.dates()
    | st.datetimes(timezones=st.none() | st.timezones())
    | st.times()
    | st.timedeltas()
    | st.decimals().filter(lambda d: not d.is_snan())  # pandas cannot even compare it
    | st.uuids()
    | st.complex_numbers()
    | st.fractions()
)
anything = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.tuples(inner, inner) | st.dictionaries(st.text(max_size=2) | st.integers(), inner),
    max_leaves=4,
)  # fmt: skip


@settings(suppress_health_check=list(HealthCheck))
@given(st.lists(anything, max_size=5), st.lists(scalars, max_size=1), st.lists(st.floats(), max_size=4))
def test_any_cells_labels_and_numbers(cells, label, numbers):
    import tempfile

    frame = pd.DataFrame({"o": objects(*cells), 1: pd.Series(numbers, dtype="f8")})
    if label:
        frame.columns = pd.Index(objects("o", label[0]), dtype=object, tupleize_cols=False)
    with tempfile.TemporaryDirectory() as folder:
        assert_same(frame, through(frame, folder))


class Thing:
    pass


@pytest.mark.parametrize(
    "value, text",
    [
        (
            column(objects(1, Thing())),
            "a pandas.DataFrame, in its column 'x' is a test_frames.Thing at [1] (dtype object): make text or numbers",
        ),
        (column(objects(1, [Thing()])), "in its column 'x' is a test_frames.Thing at [1][0] (dtype object)"),
        (pd.Series(objects(Thing())), "a pandas.Series, in its values is a test_frames.Thing at [0] (dtype object)"),
        (pd.DataFrame({2023: [1], 2024: objects(Thing())}), "in its column 2024 is a test_frames.Thing at [0]"),
        (pd.DataFrame([[1]], columns=[Thing()]), "in its columns is a test_frames.Thing at [0]"),
        (pd.DataFrame({"x": [1]}, index=[Thing()]), "in its index is a test_frames.Thing at [0]"),
        (pd.Series([1], name=Thing), "in its name is a type: use text or numbers there"),
        (type("GeoDataFrame", (pd.DataFrame,), {})({"x": [1]}), "GeoDataFrame: store pandas.DataFrame(…) of it, or write it to a file"),
        (column(objects(10**5000)), "in its column 'x' is a int at [0] (dtype object), Exceeds the limit"),
        (
            column(pd.arrays.ArrowExtensionArray(pa.array([pa.MonthDayNano([1, 2, 3])]))),
            "its column 'x' has the type month_day_nano_interval, which Parquet does not keep",
        ),
        (
            pd.DataFrame({"x": [1]}, index=pd.date_range("2024", periods=1, freq=pd.offsets.Easter())),
            "its index has a frequency of its own, <Easter: method=3>: .freq = None",
        ),
        (pd.DataFrame({"x": [1]}).groupby("x"), "DataFrameGroupBy: store what it is aggregated to"),
        (pd.Series([1]).array, "store pandas.Series(…) of it"),
        (pd.DateOffset(1), "store .freqstr"),
    ],
    ids=lambda each: each if isinstance(each, str) else type(each).__name__,
)
def test_what_cannot_be_kept_names_key_column_and_type(value, text, tmp_path):
    with pytest.raises(TypeError) as caught:
        Store(str(tmp_path)).take({"table": {"x": value}})
    assert "'table.x' cannot be stored: " in str(caught.value)
    assert text in str(caught.value)


def test_attrs_that_cannot_be_kept(tmp_path):
    frame = pd.DataFrame({"x": [1]})
    frame.attrs["thing"] = Thing()
    with pytest.raises(TypeError) as caught:
        Store(str(tmp_path)).take({"x": frame})
    assert "'x' cannot be stored: a pandas.DataFrame, in its attrs is a test_frames.Thing at .thing" in str(caught.value)


@pytest.mark.parametrize("series", [False, True])
def test_frames_of_earlier_versions_are_read(series, tmp_path):
    frame = pd.DataFrame({"value": [1.5, 2.5]})
    more = {"series": "n"} if series else {}
    frame.to_parquet(tmp_path / "a.parquet")
    frame.to_json(tmp_path / "a.json", orient="table", double_precision=15)
    for kind, name in (("parquet", "a.parquet"), ("table", "a.json")):
        got = frames.read(str(tmp_path / name), {"kind": kind, **more})
        pd.testing.assert_series_equal(got, frame["value"].rename("n")) if series else pd.testing.assert_frame_equal(got, frame)


WITHOUT = """
import sys
class Hidden:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == HIDDEN:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Hidden())
sys.path.insert(0, SOURCE)
from trowel_task.store import values
from trowel_task.store.store import Store
from trowel_task.kinds.unkept import Unreadable
"""


def run_without(library, program):
    text = f"HIDDEN, SOURCE = {library!r}, {str(SOURCE)!r}\n" + WITHOUT + textwrap.dedent(program)
    return subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True).stdout.strip()


def test_without_pyarrow_it_is_an_error_that_says_so(tmp_path):
    said = run_without(
        "pyarrow",
        f"""
        import pandas
        for value in (pandas.DataFrame({{"x": [0.1]}}), pandas.Series([1]), [pandas.Index([1])]):
            try:
                Store({str(tmp_path)!r}).take({{"frame": value}})
            except ImportError as error:
                print(error)
        """,
    )
    way = "is kept as Parquet, for which pyarrow is missing: add a line pyarrow to requirements.txt"
    assert said.split("\n") == [
        f"'frame' cannot be stored: a pandas.DataFrame {way}",
        f"'frame' cannot be stored: a pandas.Series {way}",
        f"'frame[0]' cannot be stored: a pandas.Index {way}",
    ]


@pytest.mark.parametrize("library", ["pyarrow", "pandas"])
def test_a_reader_without_the_library_is_told(library, tmp_path):
    store = Store(str(tmp_path))
    ref = dict(store.take({"x": pd.DataFrame({"x": [1]})})["x"])
    said = run_without(
        library,
        f"""
        Store({str(tmp_path)!r})
        try:
            values.resolve({ref!r})
        except Unreadable as error:
            print(error)
        """,
    )
    assert said == f"it is a pandas.DataFrame, for which this task's Python lacks {library}: add a line {library} to requirements.txt"


def test_a_frame_between_tasks(host):
    host.file(
        "f.py",
        """
        import digdag, pandas as pd
        class Thing: pass
        def put(): digdag.env.store(frame=pd.DataFrame({2023: [1.5], 2024: [[1, "n/a"]]}), parts=[pd.Series([1], name="s")])
        def get(frame, parts): print(frame.to_dict("list"), parts[0].name)
        def bad():
            frame = pd.DataFrame({"x": [Thing()]})
            digdag.env.store(frame=frame)
        """,
    )
    stored = host.py("f.put")["stored"]
    assert host.py("f.get", **stored)["ok"], host.log()
    assert host.log() == "{2023: [1.5], 2024: [[1, 'n/a']]} s\n"
    error = host.py("f.bad")["error"]
    assert "'frame' cannot be stored: a pandas.DataFrame, in its column 'x' is a f.Thing at [0]" in error["message"]
    assert 'f.py", line 8, in bad' in error["stacktrace"]
