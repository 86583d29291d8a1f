"""How one Python object is kept: the table of docs/large-values.md, line by line, and what is said of the rest."""

import array
import collections
import dataclasses
import datetime as dt
import decimal
import enum
import fractions
import io
import json
import pathlib
import re
import types
import uuid
import zoneinfo

import pytest

from trowel_task.store import values
from trowel_task.store.store import Store

D = decimal.Decimal
N, INF = float("nan"), float("inf")
berlin = zoneinfo.ZoneInfo("Europe/Berlin")
Point = collections.namedtuple("Point", "x y")
USED = (array, fractions, io, pathlib, re, types, uuid)  # by the expressions below


class Level(enum.IntEnum):
    LOW = 1


class Colour(enum.Enum):
    RED = 1


class Plain:
    pass


@dataclasses.dataclass
class Row:
    n: int


class Zone(dt.tzinfo):
    def utcoffset(self, when):
        return dt.timedelta(0)


def made(expr):
    """Of the text of an expression, so that the libraries are imported only by the tests that need them."""
    names = {"np": "numpy", "pl": "polars", "pa": "pyarrow"}
    return eval(expr, {**globals(), **{name: pytest.importorskip(library) for name, library in names.items() if f"{name}." in expr}})


def same(a, b):
    if type(a) is not type(b):
        return False
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, (set, frozenset)):
        return a == b
    library = type(a).__module__.partition(".")[0]
    if library == "numpy" and hasattr(a, "dtype"):
        return (a.dtype, a.shape, a.flags.f_contiguous, a.tobytes()) == (b.dtype, b.shape, b.flags.f_contiguous, b.tobytes())
    if library == "polars":
        return a.equals(b) and (a.schema == b.schema if hasattr(a, "schema") else (a.dtype, a.name) == (b.dtype, b.name))
    if library == "pyarrow":
        return a.schema.equals(b.schema, check_metadata=True) and a.equals(b)
    return repr(a) == repr(b) and (a == b or a != a)


class Tasks:
    """What one task stores and the next one gets, within this process."""

    def __init__(self, root):
        self.root = root
        self.store = Store(str(root))

    def put(self, value):
        stored = self.store.encode(self.store.take({"x": value}))
        return json.loads(json.dumps(stored))["x"]

    def get(self, stored):
        return values.resolve(stored)

    def error(self, value):
        with pytest.raises((TypeError, ValueError)) as caught:
            self.store.take({"x": value})
        return str(caught.value)


@pytest.fixture
def tasks(tmp_path):
    return Tasks(tmp_path)


SMALL = [
    ("dt.date(2024, 2, 29)", "2024-02-29"),
    ("dt.datetime(2024, 1, 2, 3, 4, 5, 678)", "2024-01-02T03:04:05.000678"),
    ("dt.datetime(2024, 1, 2, tzinfo=dt.timezone.utc)", "2024-01-02T00:00:00+00:00"),
    ("dt.datetime(2024, 1, 2, tzinfo=dt.timezone(dt.timedelta(hours=5, minutes=30)))", "2024-01-02T00:00:00+05:30"),
    ("dt.datetime(2024, 1, 2, tzinfo=dt.timezone(dt.timedelta(hours=9), 'JST'))", "2024-01-02T00:00:00+09:00"),
    ("dt.datetime(2024, 10, 27, 2, 30, tzinfo=berlin)", "2024-10-27T02:30:00+02:00"),
    ("dt.datetime(2024, 10, 27, 2, 30, tzinfo=berlin, fold=1)", "2024-10-27T02:30:00+01:00"),
    ("dt.datetime(2024, 3, 31, 2, 30, tzinfo=berlin)", "2024-03-31T02:30:00+01:00"),
    ("dt.time(1, 2, 3, 4)", "01:02:03.000004"),
    ("dt.time(1, 2, tzinfo=berlin)", "01:02:00"),
    ("dt.timedelta(days=-1, microseconds=1)", "-1 day, 0:00:00.000001"),
    ("D('1.10')", "1.10"),
    ("D('-0E+5')", "-0E+5"),
    ("D('NaN123')", "NaN123"),
    ("fractions.Fraction(1, 3)", "1/3"),
    ("uuid.UUID(int=5)", "00000000-0000-0000-0000-000000000005"),
    ("complex(1, -0.0)", "(1-0j)"),
    ("complex(N, INF)", "(nan+infj)"),
    ("N", "NaN"),
    ("-INF", "-Infinity"),
    ("{3, 1}", "[1,3]"),
    ("frozenset({'a'})", '["a"]'),
    ("set()", "[]"),
    ("{dt.date(2024, 1, 1), (1, b'x'), None}", None),
]


@pytest.mark.parametrize("expr, text", SMALL)
def test_small_objects_are_kept_and_have_a_text(tasks, expr, text):
    value = made(expr)
    stored = tasks.put(value)
    assert set(stored) >= {"trowel:leaf", "text"}
    if text is not None:
        assert stored["text"] == text
    assert same(tasks.get(stored), value)
    within = {"rows": [value, 1], "k": {"v": value}}
    assert same(tasks.get(tasks.put(within)), within)


@pytest.mark.parametrize(
    "expr, arrives",
    [
        ("(1, (2,))", "[1, [2]]"),
        ("Point(1, 2)", "[1, 2]"),
        ("Level.LOW", "1"),
        ("collections.OrderedDict(a=1)", "{'a': 1}"),
        ("collections.Counter('aab')", "{'a': 2, 'b': 1}"),
        ("{1: 'a', None: 'b', 1.5: 'c', True: 'd'}", "{'1': 'd', 'null': 'b', '1.5': 'c'}"),
        ("bytearray(b'a')", "b'a'"),
        # JavaScript would print them with digits that are not theirs.
        (
            "[1.2345678901234567e20, 1.23456789012345e20, -(2.0**53), 2.0**53 - 1]",
            "[123456789012345667584, 123456789012344995840, -9007199254740992, 9007199254740991.0]",
        ),
        ("[1e21, 1.2345678901234567e22]", "[1e+21, 1.2345678901234568e+22]"),
        ("{'when': dt.date(2024, 1, 1), 'at': (1, 2)}", "{'when': datetime.date(2024, 1, 1), 'at': [1, 2]}"),
        ("[b'a', {'b': memoryview(b'bc')}]", "[b'a', {'b': b'bc'}]"),
    ],
)
def test_what_json_has_a_form_for_arrives_in_that_form(tasks, expr, arrives):
    assert repr(tasks.get(tasks.put(made(expr)))) == arrives


ERRORS = [
    ("Row(1)", "it is of type test_kinds.Row: store dataclasses.asdict(…) of it. Or let trowel.yml say `values: {pickle: true}`"),
    ("Colour.RED", "it is of type test_kinds.Colour: store its .value, or its .name"),
    (
        "Plain()",
        "it is of type test_kinds.Plain: store a dict of its content, or write it to a file and store that",
    ),
    ("range(3)", "it is of type range: store list(…) of it"),
    ("(n for n in [1])", "it is of type generator: it can be read only once: store list(…) of it"),
    ("map(str, [1])", "it is of type map: it can be read only once"),
    ("{}.keys()", "it is of type dict_keys: store list(…) of it"),
    ("collections.deque([1])", "it is of type collections.deque: store list(…) of it"),
    ("types.MappingProxyType({})", "it is of type mappingproxy: store dict(…) of it"),
    ("array.array('i', [1])", "it is of type array.array: store .tolist()"),
    ("ValueError('x')", "it is of type ValueError: store str(…) of it"),
    ("Plain", "it is of type type: store its name as text"),
    ("len", "it is of type builtin_function_or_method: store its name"),
    ("lambda: 1", "it is of type function: store its name"),
    ("json", "it is of type module: store its name"),
    ("re.compile('a')", "it is of type re.Pattern: store .pattern"),
    ("open(__file__)", "store pathlib.Path(its name)"),
    ("io.BytesIO()", "it is of type BytesIO: store .getvalue()"),
    ("dt.timezone.utc", "it is of type datetime.timezone: store its name"),
    ("type('Sub', (dt.datetime,), {})(2024, 1, 1)", "store .isoformat()"),
    (
        "dt.datetime(2024, 1, 1, tzinfo=Zone())",
        "its time zone is a test_kinds.Zone: store .isoformat()",
    ),
    ("{Plain()}", "in it is of type test_kinds.Plain"),
    ("{1: 'a', '1': 'b'}", "the keys 1 and '1' are the same text in JSON, \"1\": name them differently"),
    ("{'m': {None: 1, 'null': 2}}", "'x.m' cannot be stored: the keys None and 'null'"),
    ("{2: {1: 'a', '1': 'b'}}", "'x['2']' cannot be stored: the keys 1 and '1'"),
    (
        "{dt.date(2024, 1, 1): 1}",
        "its key datetime.date(2024, 1, 1) is of type datetime.date; keys are text or numbers: make text of them: {str(key)",
    ),
    ("{'rows': [0, {'when': Plain()}]}", "'x.rows[1].when' cannot be stored"),
    ("(lambda d: d.update(d=d) or d)({'s': {1}})", "'x.d' cannot be stored: it is a part of itself"),
    ("pathlib.Path('.')", ". is a folder; a Path stores a file. Make one of it: shutil.make_archive(name, 'zip', folder)"),
    ("pathlib.Path('nofile')", "nofile does not exist (in /"),
]


@pytest.mark.parametrize("expr, text", ERRORS)
def test_what_cannot_be_kept_is_an_error_that_says_the_way_out(tasks, expr, text):
    message = tasks.error(made(expr))
    assert text in message
    assert message.startswith("'x")


@pytest.mark.parametrize(
    "expr", ["{2023: 'a', '2024-01-01': 'b', 'true': 1}", "{'1': 'a', 'x': {'1': 'b'}}", "{'a': '\"1\":', 'b': '\"1\":'}"]
)
def test_keys_that_look_alike_and_are_not_are_kept(tasks, expr):
    assert [str(key) for key in made(expr)] == list(tasks.put(made(expr)))


ARRAYS = [
    "np.array([1.5, N, INF, -0.0])",
    "np.array(5)",
    "np.array([], dtype='i2')",
    "np.zeros((3, 0, 2), order='F')",
    "np.asfortranarray(np.arange(6, dtype='>i4').reshape(2, 3))",
    "np.array(['2024-01-01T00:00:00.000000001', 'NaT'], dtype='M8[ns]')",
    "np.array([5, 'NaT'], dtype='m8[25s]')",
    "np.array(['é', ''])",
    "np.array([b'a', b''])",
    "np.array([1j, complex(N, 0)], dtype='c8')",
    "np.array([True, False])",
    "np.array([0.5, N], dtype='f2')",
    "np.zeros(2, dtype=[('a', 'i4', (2,)), ('b', [('c', 'M8[s]'), ('d', 'U3')])])",
    "np.zeros(2, dtype=np.dtype([('a', 'i1'), ('b', 'f8')], align=True))",
    "np.zeros(1, dtype=[(f'field{n}', 'f8') for n in range(1000)])",
    "{'weights': [np.arange(3)], 'n': 1}",
]
SCALARS = [
    "np.datetime64('2024-01-01T00:00:00.000000001')",
    "np.datetime64('NaT')",
    "np.timedelta64(25, 'h')",
    "np.complex64(1j)",
    "np.longdouble('0.1')",
    "np.zeros(1, dtype=[('a', 'i4'), ('b', 'U3')])[0]",
]


@pytest.mark.parametrize("expr", ARRAYS + SCALARS)
def test_numpy(tasks, expr):
    assert same(tasks.get(tasks.put(made(expr))), made(expr))


@pytest.mark.parametrize("expr, value", [("np.int64(3)", 3), ("np.float32(0.5)", 0.5), ("np.bool_(True)", True), ("np.str_('a')", "a")])
def test_numbers_of_numpy_are_numbers(tasks, expr, value):
    assert tasks.put(made(expr)) == value
    assert tasks.put(made(f"{{np.int64(1): {expr}}}")) == {"1": value}


@pytest.mark.parametrize(
    "expr, text",
    [
        ("np.array([1, 'a', None], dtype=object)", "a numpy.ndarray, it contains Python objects (dtype object): .tolist()"),
        ("np.zeros(1, dtype=[('a', 'O')])", "a .npy file has no form of its dtype"),
        ("np.ma.array([1, 2], mask=[0, 1])", "numpy.MaskedArray: store .filled(…)"),
        ("np.matrix([1])", "numpy.matrix: store numpy.asarray(…)"),
        ("np.rec.array([(1,)], dtype=[('a', 'i4')])", "numpy.recarray: store numpy.asarray(…)"),
        ("np.random.default_rng()", "numpy.Generator: store the seed"),
    ],
)
def test_arrays_that_npy_cannot_keep(tasks, expr, text):
    assert text in tasks.error(made(expr)).replace("numpy.ma.", "numpy.").replace("numpy.random.", "numpy.")


POLARS = [
    "pl.DataFrame({'a': [1, None], 'b': ['x', None], 'c': [N, -0.0]})",
    "pl.DataFrame({'a': pl.Series(['x', 'y', 'x'], dtype=pl.Categorical), 'b': pl.Series(['x'] * 3, dtype=pl.Enum(['z', 'x']))})",
    "pl.DataFrame({'a': [dt.datetime(2024, 1, 1, tzinfo=berlin)], 'b': [dt.timedelta(microseconds=3)]})",
    "pl.DataFrame({'c': [dt.time(1, 2, 3, 4)], 'd': [dt.date(1, 1, 1)]})",
    "pl.DataFrame({'a': pl.Series([D('1.10')], dtype=pl.Decimal(10, 2)), 'b': [b'\\xff']})",
    "pl.DataFrame({'a': [[1], [], None], 'b': [{'x': 1, 'y': None}] * 3, 'c': pl.Series([[1, 2]] * 3, dtype=pl.Array(pl.Int8, 2))})",
    "pl.DataFrame({'a': pl.Series([1], dtype=pl.UInt8), 'b': pl.Series([1], dtype=pl.Datetime('ms')), 'n': [None]})",
    "pl.DataFrame()",
    "pl.DataFrame(schema={'a': pl.Int16, '': pl.String, 'a.b': pl.Float32})",
    "pl.Series('s', [1, None, 3])",
    "pl.Series([], dtype=pl.String)",
]


@pytest.mark.parametrize("expr", POLARS)
def test_polars(tasks, expr):
    stored = tasks.put(made(expr))
    assert stored["kind"] == "parquet"
    assert same(tasks.get(stored), made(expr))


@pytest.mark.parametrize(
    "expr, text",
    [
        (
            "pl.DataFrame({'a': [1]}).lazy()",
            "'x' cannot be stored: it is of type polars.LazyFrame: it is not computed yet: store .collect()",
        ),
        (
            "pl.DataFrame({'o': pl.Series([object()], dtype=pl.Object)})",
            "'x' cannot be stored: a polars.DataFrame, its column 'o' contains Python objects",
        ),
        (
            "pl.DataFrame({'b': [1], 's': pl.Series([{}], dtype=pl.Struct([]))})",
            "a polars.DataFrame, its column 's' has the dtype Struct({}), which Parquet does not keep: .cast(…) it first",
        ),
        ("pl.col('a')", "polars.Expr: store the frame that it makes"),
    ],
)
def test_polars_that_cannot_be_kept(tasks, expr, text):
    assert text in tasks.error(made(expr))


ARROW = [
    ("pa.table({'a': [1, None], 'b': ['x', None]})", "parquet"),
    ("pa.table({'a': [1]}, metadata={'k': 'v'})", "parquet"),
    ("pa.table([pa.array([1], pa.int8())], schema=pa.schema([pa.field('a', pa.int8(), nullable=False, metadata={'m': '1'})]))", None),
    ("pa.table({'a': pa.array(['x', 'y', 'x']).dictionary_encode()})", "arrow"),
    ("pa.table({'a': pa.array([0], pa.timestamp('s')), 'b': pa.array([1], pa.duration('ns')), 'c': pa.array([1], pa.time32('s'))})", None),
    ("pa.table({'a': pa.array([[1], None], pa.list_(pa.int8())), 'b': pa.array([{'x': 1}, None])})", None),
    ("pa.table({'c': pa.array([[('k', 1)], None], pa.map_(pa.string(), pa.int8()))})", None),
    ("pa.table({'a': pa.array([D('1.10')]), 'b': pa.array([b'x'], pa.large_binary())})", None),
    ("pa.table({'c': pa.array([None]), 'd': pa.array([0.5], pa.float16())})", None),
    ("pa.table([[1], [2]], names=['a', 'a'])", None),
    ("pa.table({})", None),
    ("pa.table({'a': pa.array([], pa.string())})", None),
    ("pa.record_batch({'a': [1, 2]}, schema=pa.schema([('a', pa.int16())]))", None),
    ("pa.record_batch({'a': pa.array([], pa.int16())})", None),
]  # fmt: skip


@pytest.mark.parametrize("expr, kind", ARROW)
def test_arrow(tasks, expr, kind):
    stored = tasks.put(made(expr))
    assert kind in (None, stored["kind"])
    assert same(tasks.get(stored), made(expr))


def test_arrow_chunks_share_one_dictionary(tasks):
    table = made("pa.table({'a': pa.chunked_array([pa.array([each]).dictionary_encode() for each in 'xy'])})")
    got = tasks.get(tasks.put(table))
    assert (got.schema, got.to_pylist()) == (table.schema, table.to_pylist())


@pytest.mark.parametrize(
    "expr, text",
    [
        ("pa.array([1])", "pyarrow.Int64Array: store .to_pylist()"),
        ("pa.chunked_array([[1]])", "pyarrow.ChunkedArray: store .to_pylist()"),
        ("pa.scalar(1)", "pyarrow.Int64Scalar: store .as_py()"),
        ("pa.table({'a': [1]}).to_reader()", "pyarrow.RecordBatchReader: store .read_all()"),
    ],
)
def test_arrow_that_is_no_table(tasks, expr, text):
    assert text in tasks.error(made(expr))


def test_an_object_is_kept_as_it_is_at_the_line_of_store(host):
    host.file(
        "s.py",
        """
        import digdag, pathlib
        def put():
            grows, file, data = [], pathlib.Path("f.txt"), bytearray(b"a")
            file.write_text("first")
            digdag.env.store(grows=grows, file=file, data=data, mixed={"data": data, "grows": grows})
            grows.append(1)
            data[0] = 0
            file.unlink()
        def get(grows, file, data, mixed): print(grows, file.read_text(), data, mixed)
        """,
    )
    stored = host.py("s.put")["stored"]
    assert host.py("s.get", **stored)["ok"]
    assert host.log() == "[1] first b'a' {'data': b'a', 'grows': []}\n"


def test_the_file_of_an_object_that_could_not_be_written_is_gone(tasks):
    tasks.error(made("np.array([1, None])"))
    folder = tasks.root / "values"
    assert not folder.exists() or list(folder.iterdir()) == []


def test_a_large_value_with_small_objects_in_it(tasks):
    rows = [{"n": n, "when": dt.date(2024, 1, 1), "price": D("1.10")} for n in range(2000)]
    stored = tasks.put(rows)
    assert len(json.dumps(stored)) < 1000
    assert same(tasks.get(stored), rows)
