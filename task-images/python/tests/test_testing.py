"""The fixture `digdag` for tests of user code: a real pytest in a folder of its own, far from the runner's sources."""

import os
import subprocess
import sys
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent.parent
SOURCE = PACKAGE / "src"

DATA = """
import digdag
from digdag import env

def load(rows, products=("apples",)):
    digdag.env.store({"rows": [(rows, name) for name in products]})

def total(rows):
    env.store(sum=sum(number for number, _ in rows), seen={"total": 1})
    return "a result"

def more(sum=0):
    digdag.env.store(seen={"more": sum + 1}, large=b"x" * 20_000)
    digdag.env.add_subtask(total)

def fail():
    digdag.env.store(lost=1)
    raise ValueError("no")

def odd():
    digdag.env.store(thing=object())
"""

CONFTEST = f"import sys\nsys.path.append({str(SOURCE)!r})\nfrom trowel_task.testing import digdag\n"


def run(folder, test, conftest=CONFTEST, path=""):
    """What pytest prints about a file of tests, and whether they pass."""
    (folder / "data.py").write_text(DATA)
    (folder / "conftest.py").write_text(conftest)
    (folder / "test_data.py").write_text(test)
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    env["PYTHONPATH"] = path
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True)
    return done.returncode == 0, done.stdout + done.stderr


BODIES = [
    'digdag.run("data.load", rows=3)\n    assert digdag.stored == {"rows": [[3, "apples"]]}',
    'digdag.run("data.load", rows=3, products=["a", "b"])\n    digdag.run("data.total")\n    assert digdag.stored["sum"] == 6',
    'digdag.run("data.total", rows=[[1, "a"]])\n    digdag.run("data.more")\n'
    '    assert digdag.stored == {"sum": 1, "seen": {"total": 1, "more": 2}, "large": b"x" * 20_000}\n'
    '    assert digdag.subtasks == [{"py>": "data.total"}]',
    'import data\n    assert digdag.run(data.total, rows=[]) == "a result"\n    assert digdag.stored["sum"] == 0',
    'import data\n    digdag.env.params["rows"] = 2\n    data.load(digdag.env.params["rows"])\n    assert digdag.stored["rows"][0][0] == 2',
    'with pytest.raises(ValueError, match="no"):\n        digdag.run("data.fail")\n    assert digdag.stored == {}',
    'with pytest.raises(TypeError, match="\'thing\' cannot be stored"):\n        digdag.run("data.odd")',
    'with pytest.raises(TypeError, match="requires parameter \'rows\'"):\n        digdag.run("data.total")',
]


def test_a_function_gets_parameters_and_its_stores_are_seen(tmp_path):
    ok, text = run(tmp_path, "import pytest\n" + "".join(f"\ndef test_{at}(digdag):\n    {body}\n" for at, body in enumerate(BODIES)))
    assert ok, text
    assert f"{len(BODIES)} passed" in text


def test_one_test_sees_nothing_of_another(tmp_path):
    test = 'def test_{0}(digdag):\n    assert digdag.stored == {{}}\n    digdag.run("data.load", rows={0})\n'
    ok, text = run(tmp_path, test.format(1) + test.format(2))
    assert ok, text


def test_without_the_fixture_the_import_fails_as_in_digdag(tmp_path):
    test = "def test_a(digdag): import digdag as module\n"
    test += "def test_b():\n  try:\n    import digdag\n  except ImportError:\n    return\n  raise AssertionError\n"
    ok, text = run(tmp_path, test)
    assert ok, text


def test_what_is_installed_has_stubs_and_the_plugin(tmp_path):
    """By pip, without a network, and found without a conftest."""
    built, project = tmp_path / "built", tmp_path / "project"
    project.mkdir()
    pip = [sys.executable, "-m", "pip", "install", "-q", "--no-index", "--disable-pip-version-check", "--target", str(built), str(PACKAGE)]
    subprocess.run(pip, check=True)
    assert (built / "digdag-stubs/__init__.pyi").exists()
    assert (built / "trowel_task/py.typed").exists()
    test = 'def test_it(digdag):\n    digdag.run("data.load", rows=1)\n    assert digdag.stored\n'
    ok, text = run(project, test, conftest="", path=str(built))
    assert ok, text
