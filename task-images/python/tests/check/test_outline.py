"""What an outline says of a file, and that nothing of it runs."""

import json
import os
import subprocess
import sys

import pytest
from conftest import SOURCE
from hypothesis import given
from hypothesis import strategies as st

from trowel_task.check.outline import outline


def names(text: str) -> dict:
    return outline(text.encode())["names"]


@pytest.mark.parametrize(
    ("text", "args", "rest"),
    [
        ("def f(): pass", [], False),
        ("def f(a, b=1): pass", [["a", True, "a"], ["b", False, "a"]], False),
        ("def f(a, /, b, *c, d, e=1, **g): pass", [["a", True, "p"], ["b", True, "a"], ["d", True, "k"], ["e", False, "k"]], True),
        ("async def f(a): pass", [["a", True, "a"]], False),
        ("f = lambda a, b=2: a", [["a", True, "a"], ["b", False, "a"]], False),
    ],
)
def test_arguments(text, args, rest):
    found = names(text)["f"]
    assert (found["args"], found.get("rest", False)) == (args, rest)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("def f(): pass\nf = 1", "other"),
        ("f = g", "alias"),
        ("f = g()", "other"),
        ("try:\n    def f(): pass\nexcept ImportError:\n    def f(a): pass", "other"),
        ("if x:\n    def f(): pass", "function"),
        ("from a.b import f", "import"),
        ("import f.g", "import"),
        ("class f: pass", "class"),
        ("for f in x: pass", "other"),
        ("with x as (f, g): pass", "other"),
        ("f: int = 1", "other"),
        ("f: int", None),
        ("def g():\n    global f\n    f = 1", "other"),
        ("if (f := 1): pass", "other"),
        ("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from x import f", "other"),
    ],
)
def test_what_a_name_is(text, kind):
    assert names(text).get("f", {}).get("kind") == kind


@pytest.mark.parametrize(
    ("text", "keys", "more"),
    [
        ('digdag.env.store({"a": 1}, b=2)', ["a", "b"], False),
        ("digdag.env.store(values)", [], True),
        ("digdag.env.store({name: 1})", [], True),
        ("digdag.env.store({**values})", [], True),
        ("digdag.env.store(**values)", [], True),
        ("store = digdag.env.store", [], True),
        ("digdag.env.add_subtask(f)", [], True),
        ('getattr(digdag.env, "store")({"a": 1})', [], True),
        ("print(1)", [], False),
    ],
)
def test_what_is_stored(text, keys, more):
    found = outline(f"import digdag\n{text}".encode())
    assert (found.get("stores", []), found.get("storesMore", False)) == (keys, more)


def test_imports_have_their_place_and_what_guards_them():
    text = """
import a, b.c
from .d import e, f
try:
    import g
except (ValueError, ImportError):
    pass
with contextlib.suppress(ImportError):
    import h
if sys.version_info > (3, 11):
    import i
def j():
    import k
"""
    found = [
        (each["module"], each["line"], each["column"], each.get("guarded", False), each.get("lazy", False))
        for each in outline(text.encode())["imports"]
    ]
    if sys.version_info < (3, 10):
        found[1] = ("b.c", 2, 10, False, False)
    assert found == [
        ("a", 2, 7, False, False),
        ("b.c", 2, 10, False, False),
        ("d", 3, 5, False, False),
        ("g", 5, 11, True, False),
        ("h", 9, 11, True, False),
        ("i", 11, 11, True, False),
        ("k", 13, 11, False, True),
    ]


@pytest.mark.parametrize("source", [b"def f(:", b"return 1", b"x = '\x00'", b"\xff\xfe", b"def f():\n\tpass\n        pass"])
def test_what_is_no_python_is_a_fault_with_a_place(source):
    fault = outline(source)["fault"]
    assert fault["message"]
    assert fault["line"] >= 1
    assert fault["column"] >= 0


@given(st.text())
def test_any_text_gives_an_outline(text):
    json.dumps(outline(text.encode("utf-8", "surrogatepass")))


@given(st.recursive(st.sampled_from(["x", "f(y)", "[z]"]), lambda inner: st.builds("({} + {})".format, inner, inner)))
def test_any_expression_gives_an_outline(text):
    assert "names" in outline(f"v = {text}\n".encode())


def test_deep_nesting_is_unknown_and_no_crash():
    assert "fault" in outline(b"(" * 5000) or "unknown" in outline(b"(" * 5000)
    assert json.dumps(outline(b"x = " + b"-" * 50_000 + b"1"))


def test_the_program_answers_a_line_each(tmp_path):
    (tmp_path / "mod.py").write_text("open('ran', 'w')\ndef f(a): pass\n")
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "own_package.py").write_text("open('ran', 'w')\n")
    asked = [
        {"do": "outline", "files": [str(tmp_path / "mod.py"), str(tmp_path / "none.py")]},
        {"do": "find", "names": ["own_package", "mod", "nowhere"], "site": str(tmp_path / "site"), "requirements": ["nowhere"]},
        {"do": "something"},
    ]
    source = str(SOURCE)
    done = subprocess.run(
        [sys.executable, "-m", "trowel_task", "lookup"],
        input="".join(json.dumps(each) + "\n" for each in asked),
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": source},
        check=True,
    )
    about, outlines, found, error = [json.loads(line) for line in done.stdout.splitlines()]
    assert about["version"].split(".")[:2] == [str(part) for part in sys.version_info[:2]]
    assert {"os", "json", "sys", "tokenize"} <= set(about["standard"])
    assert [list(each) for each in outlines["outlines"]][1] == ["unknown"]
    assert outlines["outlines"][0]["names"]["f"]["args"] == [["a", True, "a"]]
    assert found["found"]["own_package"]["origin"] == str(tmp_path / "site" / "own_package.py")
    assert (found["found"]["mod"], found["found"]["nowhere"]) == (None, None)
    assert (found["closure"], found["missing"]) == (["nowhere"], ["nowhere"])
    assert "expected" in error["error"]
    assert not (tmp_path / "ran").exists()
