"""import digdag, and what a task stores."""

import subprocess
import sys
import threading

import pytest

from trowel_task.contract.wire import REF
from trowel_task.store import values
from trowel_task.task.params import Params


def test_store_forms_and_no_return_value(host):
    host.file(
        "e.py",
        """
        import digdag
        def put():
            digdag.env.store({"a": 1, "b": 1})
            digdag.env.store(b=2, c=(1, 2))
            digdag.env.store({"d": {4: True}}, c="three")
            digdag.env.set_state(x=1)
            return {"gift": 1}
        """,
    )
    assert host.py("e.put")["stored"] == {"a": 1, "b": 2, "c": "three", "d": {"4": True}}


@pytest.mark.parametrize(
    "body, told",
    [
        ("return {'a': 1}", True),
        ("digdag.env.store(b=1); return {'a': 1}", True),
        ("digdag.env.store(a=1); return {'a': 1, 'b': 2}", False),
        ("return {}", False),
        ("return [1]", False),
        ("return None", False),
    ],
)
def test_a_returned_dict_that_nobody_stores_is_told(host, body, told):
    host.file("e.py", f"import digdag\ndef f():\n    {body}\n")
    assert host.py("e.f").get("returned") == ("e.f" if told else None)


def test_store_merges_deeply_upon_the_layers(host):
    host.file("e.py", "import digdag\ndef put(): digdag.env.store({'m': {'b': 2}, 'l': [1]})\n")
    layers = [{"m": {"a": 1}, "k": 0, "l": [1, 2]}, {"m": {"b": 1, "c": 3}}]
    assert host.run("py", "e.put", layers=layers, merge=2)["s"] == {"m": {"a": 1, "b": 2, "c": 3}, "k": 0, "l": [1]}
    assert host.run("py", "e.put", layers=[], merge=0)["s"] == {"m": {"b": 2}, "l": [1]}


def test_stores_of_a_failed_task_are_lost(host):
    host.file("e.py", "import digdag\ndef put():\n  digdag.env.store(a=1)\n  raise KeyError('x')\n")
    result = host.py("e.put")
    assert set(result) == {"ok", "error"}


@pytest.mark.parametrize(
    "value, text",
    [
        ("object()", "'when' cannot be stored: it is of type object"),
        ("{(1, 2): 3}", "'when' cannot be stored: its key (1, 2) is of type tuple; keys are text or numbers"),
        ("[1, {'deep': range(2)}]", "'when[1].deep' cannot be stored: it is of type range: store list(…) of it (TypeError)"),
        ("pathlib.Path('nofile')", "nofile does not exist"),
    ],
)
def test_what_json_cannot_hold_fails_where_it_is_stored(host, value, text):
    host.file("j.py", f"import digdag, pathlib\ndef put():\n    digdag.env.store({{'when': {value}}})\n    print('after')\n")
    error = host.py("j.put")["error"]
    assert text in error["message"]
    assert 'j.py", line 3, in put' in error["stacktrace"]
    assert "after" not in host.log()


def test_params(host):
    host.file(
        "e.py",
        """
        import digdag, json
        def see():
            p = digdag.env.params
            print(p["a"], p.get("none", 5), "a" in p, isinstance(p, dict), json.loads(json.dumps(p))["m"], dict(p)["a"], {**p}["a"])
            p["a"] = 9
            print(p["a"], sorted(k for k in p if not k.startswith("_")), p.pop("m"), len(p.copy()))
        """,
    )
    assert host.py("e.see", a=1, m={"x": 1})["ok"]
    assert host.log() == "1 5 True True {'x': 1} 1 1\n9 ['a', 'm', 'py>'] {'x': 1} 4\n"


def test_threads_that_read_a_value_at_once_get_it(monkeypatch):
    """The reading of a value is played, so that another thread comes in the middle of it."""
    seen = []

    def resolve(value):
        if not seen:
            seen.append("began")
            other = threading.Thread(target=lambda: seen.append(params["x"]))
            other.start()
            other.join()
        return "the value"

    monkeypatch.setattr(values, "resolve", resolve)
    params = Params({"x": {REF: "0" * 64, "kind": "json"}}, {}, frozenset())
    assert params["x"] == "the value"
    assert seen == ["began", "the value"]


def test_import_fails_elsewhere(host, tmp_path):
    host.file("e.py", "try:\n  import digdag\nexcept ImportError:\n  digdag = None\ndef f(): print(digdag is not None)\n")
    outside = subprocess.run([sys.executable, "-c", "import e; e.f()"], cwd=tmp_path, capture_output=True, text=True)
    assert outside.stdout == "False\n"
    assert host.py("e.f")["ok"]
    assert host.log() == "True\n"


@pytest.mark.parametrize(
    "call, text",
    [
        ("add_subtask({'sh>': object()})", "Parameters must be serializable using JSON: Object of type object"),
        ("add_subtask(lambda: 1)", "has no name of its own"),
        ("add_subtask(5)", "add_subtask takes a function or a dict, not int"),
    ],
)
def test_add_subtask_refuses(host, call, text):
    host.file("e.py", f"import digdag\ndef f(): digdag.env.{call}\n")
    assert text in host.py("e.f")["error"]["message"]
