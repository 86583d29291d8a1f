"""Properties of pure parts: masking, splitting, merging, hashing."""

import json

from hypothesis import given
from hypothesis import strategies as st

from trowel_task.contract.masks import Masker
from trowel_task.contract.merge import deep_merge
from trowel_task.host.logs import LineSplitter, pieces
from trowel_task.store.canonical import canonical, digest, number

text = st.text(alphabet="ab\n\u00e9\U0001f600'\\", max_size=60)
secret = st.text(alphabet="ab\u00e9\U0001f600'", min_size=3, max_size=6)
data = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=4),
    max_leaves=12,
)
mapping = st.recursive(
    st.dictionaries(st.sampled_from("abc"), st.integers() | st.none(), max_size=3),
    lambda inner: st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)


def chunks(raw, cuts):
    ends = sorted({min(c, len(raw)) for c in cuts} | {0, len(raw)})
    return [raw[a:b] for a, b in zip(ends, ends[1:])]


@given(st.binary(max_size=200), st.lists(st.integers(0, 200), max_size=6), st.integers(16, 40))
def test_splitting_loses_nothing_and_keeps_lines_whole(raw, cuts, limit):
    splitter = LineSplitter(Masker([]), limit)
    out = [t for part in chunks(raw, cuts) for t in splitter.feed(part)] + splitter.close()
    assert "".join(out) == raw.decode("utf-8", "replace")
    assert all(0 < len(t.encode()) <= limit for t in out)


@given(st.lists(text | secret, max_size=12), st.lists(secret, min_size=1, max_size=3), st.lists(st.integers(0, 300), max_size=8))
def test_no_secret_gets_out(parts, secrets, cuts):
    raw = "".join(parts + secrets).encode()
    masker = Masker(secrets)
    splitter = LineSplitter(masker, 16)
    out = "".join([t for part in chunks(raw, cuts) for t in splitter.feed(part)] + splitter.close())
    for s in secrets:
        assert s not in out


@given(text, st.integers(16, 64))
def test_pieces(value, limit):
    parts = list(pieces(value, limit))
    assert "".join(parts) == value
    assert all(len(p.encode()) <= limit for p in parts)


def plain_merge(a, b):
    out = dict(a)
    for k, v in b.items():
        out[k] = plain_merge(out[k], v) if isinstance(out.get(k), dict) and isinstance(v, dict) else v
    return out


@given(mapping, mapping, mapping)
def test_merge(a, b, c):
    before = json.dumps([a, b, c])
    assert deep_merge(a, b) == plain_merge(a, b)
    assert deep_merge(a, b, c) == deep_merge(deep_merge(a, b), c)
    assert deep_merge(a, {}) == deep_merge({}, a) == deep_merge(a, a) == a
    assert json.dumps([a, b, c]) == before


@given(data)
def test_canonical(value):
    text = canonical(value)
    assert canonical(json.loads(text)) == text
    assert " " not in text or any(" " in s for s in json.dumps(value).split('"')[1::2])
    if isinstance(value, dict):
        assert digest(dict(reversed(list(value.items())))) == digest(value)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_numbers(value):
    assert float(number(value)) == value
