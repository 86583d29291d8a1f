"""How `py>` finds a function and what it is called with."""

import pytest

LIB = """
    import functools
    from dataclasses import dataclass

    def say(*what): print(*what)
    def plain(a, b=2): say(a, b)
    def every(a, **rest): say(a, sorted(k for k in rest if len(k) == 1))
    def stars(*args, a=1): say(args, a)
    def keyword(a, *, b, c=3): say(a, b, c)
    def positional(a, b=5, /, c=6): say(a, b, c)
    def wrap(f):
        @functools.wraps(f)
        def inner(*args, **kwargs): return f(*args, **kwargs)
        return inner
    @wrap
    def wrapped(a): say(a)
    partial = functools.partial(plain, b=7)
    value = 3
    class Task:
        def __init__(self, a): self.a = a
        def run(self, b): say("run", self.a, b)
        def other(self, b=0): say("other", self.a, b)
        @staticmethod
        def static(b): say("static", b)
    class Empty: pass
    class Outer:
        class Inner:
            def go(self, a): say("inner", a)
    @dataclass
    class Data:
        a: int
        def run(self): say("data", self.a)
"""


@pytest.mark.parametrize(
    "command, params, printed",
    [
        ("lib.plain", {"a": 1}, "1 2"),
        ("lib.plain", {"a": 1, "b": None}, "1 None"),
        ("lib.every", {"a": 1, "x": 2, "y": 3}, "1 ['x', 'y']"),
        ("lib.stars", {"args": [1], "a": 2}, "() 2"),
        ("lib.keyword", {"a": 1, "b": 2}, "1 2 3"),
        ("lib.positional", {"a": 1, "b": 2, "c": 3}, "1 2 3"),
        ("lib.positional", {"a": 1}, "1 5 6"),
        ("lib.wrapped", {"a": 1, "z": 1}, "1"),
        ("lib.partial", {"a": 1}, "1 7"),
        ("lib.Task", {"a": 1, "b": 2}, "run 1 2"),
        ("lib.Task.other", {"a": 1, "b": 2}, "other 1 2"),
        ("lib.Task.static", {"a": 1, "b": 2}, "static 2"),
        ("lib.Outer.Inner.go", {"a": 1}, "inner 1"),
        ("lib.Data", {"a": 1}, "data 1"),
        ("pkg.sub.mod.fun", {}, "deep"),
        ("pkg.in_init", {}, "init"),
        ("os.path.basename", {"p": "x"}, ""),
    ],
)
def test_called(host, command, params, printed):
    host.file("lib.py", LIB)
    host.file("pkg/__init__.py", "def in_init(): print('init')\n")
    host.file("pkg/sub/mod.py", "def fun(): print('deep')\n")
    result = host.py(command, **params)
    assert result["ok"], result
    assert host.log().strip() == printed


@pytest.mark.parametrize(
    "command, message",
    [
        ("lib.plain", "Method 'plain' requires parameter 'a' but not set (TypeError)"),
        ("lib.Task.other", "Method 'Task.__init__' requires parameter 'a' but not set (TypeError)"),
        ("lib.plian", "Module 'lib' has no attribute 'plian'. Did you mean 'plain'? (AttributeError)"),
        ("lib.Task.ohter", "Class 'lib.Task' has no attribute 'ohter'. Did you mean 'other'? (AttributeError)"),
        ("lib.Empty", "Class 'Empty' has no method 'run' (AttributeError)"),
        ("lib.value", "'lib.value' is not callable: it is of type int (TypeError)"),
        ("libb.plain", "No module named 'libb'. Did you mean 'lib'? (ModuleNotFoundError)"),
        ("wholly.unknown", "No module named 'wholly'. wholly.py or wholly/ should be in /"),
        ("pkg.mdo.f", "Module 'pkg' has no attribute 'mdo'. Did you mean 'mod'? (AttributeError)"),
        ("plain", "py>: 'plain' has no module: write module.function, for example tasks.plain (ValueError)"),
        ("lib..x", "is not a name"),
        ("needy.work", "No module named 'not_there' (ModuleNotFoundError)"),
        ("needy.Class.work", "No module named 'not_there' (ModuleNotFoundError)"),
        ("self_needy.work", "No module named 'self_needy.work' (ModuleNotFoundError)"),
        ("broken.f", "(SyntaxError)"),
        (
            "platform.mine",
            "platform.py of this project is never loaded: Python finds another module 'platform' first, one of",
        ),
        ("tokenize.main", "tokenize.py of this project is never loaded: Python finds another module 'tokenize' first, one of the standard"),
        ("sys.exit", "sys.py of this project is never loaded"),
        ("email.tasks.send", "email/tasks.py of this project is never loaded"),
        ("json.loads", "json/__init__.py of this project is never loaded"),
        ("pytest.main", "pytest.py of this project is never loaded: Python finds another module 'pytest' first, /"),
        ("pkg.mod", "'pkg.mod' is a module: name a function in it, as pkg.mod.FUNCTION"),
        ("pkg.mod.f", "Module 'pkg.mod' has no attribute 'f'. (AttributeError)"),
    ],
)
def test_refused(host, command, message):
    host.file("lib.py", LIB)
    host.file("pkg/__init__.py", "")
    host.file("pkg/mod.py", "")
    host.file("needy.py", "import not_there\n")
    host.file("self_needy/__init__.py", "import self_needy.work\n")
    host.file("broken.py", "def f(:\n")
    for path in ("platform.py", "tokenize.py", "sys.py", "email/tasks.py", "json/__init__.py", "pytest.py"):
        host.file(path, "def mine(): pass\n")
    result = host.py(command)
    assert not result["ok"]
    assert result["error"]["name"] == "Trowel.TaskFailed"
    assert message in result["error"]["message"]


def test_project_comes_last_in_the_path_and_workdir_counts(host):
    host.file("sub/mod.py", "import os, sys\ndef f(): print(os.getcwd() == sys.path[-1], os.path.basename(os.getcwd()))\n")
    assert host.run("py", "mod.f", workdir="sub")["ok"]
    assert host.log() == "True sub\n"
    missing = host.run("py", "mod.f", workdir="nowhere")
    assert "Cannot enter the folder 'nowhere'" in missing["error"]["message"]


def test_py_defaults_object(host):
    host.file("lib.py", "def f(a, b): print(a, b)\n")
    assert host.py("lib.f", py={"a": 1, "b": 2}, b=3)["ok"]
    assert host.log() == "1 3\n"


def test_script_without_command(host):
    script = """
import json, sys
params = json.load(open(sys.argv[1]))["params"]
if __name__ == "__main__":
    print("x is", params["x"])
    json.dump({"store_params": {"y": params["x"] + 1}}, open(sys.argv[2], "w"))
"""
    id = host.start("py", None, params={"script": script, "x": 1})
    # `_command: null` is no command
    result = host.wait("result", id=id)["result"]
    assert result["stored"] == {"y": 2}, result
    assert host.log() == "x is 1\n"


def test_modules_of_a_child_do_not_stay_in_the_worker(host):
    host.file("lib.py", "count = 0\ndef f():\n  global count\n  count += 1\n  print(count)\n")
    assert host.py("lib.f")["ok"]
    assert host.py("lib.f")["ok"]
    assert host.log() == "1\n1\n"


def test_main_guard_argv_and_multiprocessing(host):
    host.file(
        "lib.py",
        """
        import sys, multiprocessing
        if __name__ == "__main__": print("wrong")
        def work(n): return n * n
        def f():
            print(sys.argv)
            for method in ("fork", "spawn"):
                with multiprocessing.get_context(method).Pool(2) as pool: print(pool.map(work, [1, 2, 3]))
        """,
    )
    result = host.py("lib.f")
    assert result["ok"], result
    assert host.log() == "['lib.f']\n[1, 4, 9]\n[1, 4, 9]\n"


def test_env_names_further_folders_to_import_from(any_host):
    any_host.file("lib/over_there.py", "def f(): print('from lib')\n")
    any_host.run("py", "over_there.f", env={"PYTHONPATH": "lib"})
    assert any_host.log() == "from lib\n"
