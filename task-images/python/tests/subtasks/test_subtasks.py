"""digdag.env.add_subtask: names, scope, order, failures. Templates are rendered by the host; here by a small stand-in."""

import json
import re
from pathlib import Path

import pytest

from trowel_task.subtasks import scopes, subtasks

# The TypeScript side reads it too (test/lib/language/duration.test.ts).
DURATIONS = Path(__file__).resolve().parents[4] / "test" / "conformance" / "durations.json"

LIB = """
    import digdag, os, time
    env = digdag.env
    def log(text): open("out", "a").write(text + "\\n")
    def show(word="-", n="-", task_name=None, **rest): log(f"{task_name} {word} {n} {rest.get('own', '')}".strip())
    def put(data): env.store(data)
    def see(names): log(" ".join(f"{k}={env.params.get(k, '-')}" for k in names))
    def boom(msg="boom"): raise ValueError(msg)
    def flaky(times):
        log("try")
        env.store({"try": 1})
        if len(open("out").read().split()) < times: raise ValueError("not yet")
    def error(error): log(error["message"].split("\\n")[1] if "\\n" in error["message"] else error["message"])
    def mark(name, wait=None):
        log("start " + name)
        deadline = time.time() + 10
        while wait and not os.path.exists(wait) and time.time() < deadline: time.sleep(0.01)
        open("done-" + name, "w").close()
        log("end " + name)
    def class_name(): env.add_subtask(Thing.work, a=1)
    class Thing:
        def work(self, a): log(f"thing {a}")
    def nested(depth):
        log(f"depth {depth}")
        env.store({f"d{depth}": depth})
        if depth: env.add_subtask(nested, depth=depth - 1)
    def main(tasks, export={}, store={}, config={}):
        env.export(export)
        env.store(store)
        for t in tasks: env.add_subtask(t)
        env.subtask_config.update(config)
"""


def scope_of(layers, keys):
    merged = {}
    for layer in layers:
        merged.update(layer if isinstance(layer, dict) else layer[0])
    return {**merged, **keys}


def evaluate(message):
    """Plain `${name}` only."""
    payload = message["payload"]
    if message["fn"] == "run":
        return {"ok": {"stored": {"ran": payload["op"]}}}
    names = {**scope_of(payload["l"], payload["k"]), **payload["b"]["vars"], "task_name": payload["t"]}

    def render(value):
        if isinstance(value, dict):
            return {key: render(item) for key, item in value.items()}
        if not isinstance(value, str):
            return value
        for _ in range(3):
            value = re.sub(r"\$\{(\w+)\}", lambda m: str(names[m[1]]), value)
        return value

    try:
        k = {key: render(value) for key, value in payload["k"].items()}
    except KeyError as error:
        return {"error": {"name": "Trowel.Template", "message": f"ReferenceError: {error.args[0]} is not defined"}}
    command = next((key for key in k if key.endswith(">")), None)
    if command:
        k["_command"] = k.pop(command)
    return {"ok": {"k": k}}


@pytest.fixture
def lib(host):
    host.file("s.py", LIB)
    host.evaluate = evaluate

    def run(tasks, expect_ok=True, **fields):
        own = {name: fields.pop(name) for name in ("export", "store", "config") if name in fields}
        fields.setdefault("frames", [])
        fields.setdefault("builtins", {"vars": {"timezone": "UTC"}, "attempt": {}})
        result = host.run("py", "s.main", params={"tasks": tasks, **own}, **fields)
        assert result["ok"] is expect_ok, result
        out = host.project / "out"
        return result, out.read_text().splitlines() if out.exists() else []

    run.host = host
    return run


def test_function_and_class_and_nested(lib):
    host = lib.host
    assert host.run("py", "s.class_name", frames=[])["ok"]
    result = host.run("py", "s.nested", params={"depth": 2}, frames=[])
    assert result["stored"] == {"d2": 2, "d1": 1, "d0": 0}
    assert (host.project / "out").read_text() == "thing 1\ndepth 2\ndepth 1\ndepth 0\n"
    names = [m["task"] for m in host.messages if m["type"] == "event" and m["state"] == "succeeded"]
    assert names == ["+main+a^sub+subtask0", "+main+a^sub+subtask0", "+main+a^sub+subtask0^sub+subtask0"]


def test_names_events_logs_and_operators(lib):
    tasks = [{"sh>": "echo shell $word", "word": "plain"}, {"echo>": "said ${word} ${task_name}"}, {"+in": {"py>": "s.show"}}]
    lib(tasks, export={"word": "exported"})
    host = lib.host
    logs = {m["task"]: m["text"] for m in host.messages if m["type"] == "log"}
    assert logs == {"+main+a^sub+subtask0": "shell plain\n", "+main+a^sub+subtask1": "said exported +main+a^sub+subtask1\n"}
    events = [(m["task"][len("+main+a^sub") :], m["state"], m["operator"]) for m in host.messages if m["type"] == "event"]
    assert events == [
        ("+subtask0", "started", "sh"),
        ("+subtask0", "succeeded", "sh"),
        ("+subtask1", "started", "echo"),
        ("+subtask1", "succeeded", "echo"),
        ("+subtask2+in", "started", "py"),
        ("+subtask2+in", "succeeded", "py"),
    ]
    assert (host.project / "out").read_text() == "+main+a^sub+subtask2+in exported -\n"


def test_layers(lib):
    tasks = [
        {"py>": "s.see", "names": ["far", "near", "sent", "kept", "tasks", "q"]},
        {"py>": "s.put", "data": {"near": "stored", "m": {"x": 1}}},
        {"_export": {"near": "group", "q": "${near}!"}, "+g": {"py>": "s.see", "names": ["near", "q"], "near": "own"}},
        {"py>": "s.see", "names": ["near", "m"]},
        {"py>": "s.put", "data": {"m": {"y": 2}}},
    ]
    frames = [{"far": 0}, [{"near": "exported", "q": "${near}?"}], {"near": "below"}]
    result, out = lib(tasks, frames=frames, export={"sent": 1}, store={"kept": 2}, layers=[{"near": "below"}], merge=1)
    assert out == [
        "far=0 near=below sent=1 kept=2 tasks=- q=below?",
        "near=own q=own!",
        "near=stored m={'x': 1}",
    ]
    assert result["s"] == {"near": "stored", "kept": 2, "m": {"x": 1, "y": 2}}


def test_data_is_no_template(lib):
    tasks = [{"py>": "s.see", "names": ["d", "own"], "own": "${d}"}]
    _, out = lib(tasks, frames=[{"d": "$$5"}])
    assert out[0] == "d=$$5 own=$$5"
    calls = [m for m in lib.host.messages if m["type"] == "call"]
    assert [list(m["payload"]["k"]) for m in calls] == [["py>", "names", "own"]]


def test_no_call_without_templates(lib):
    lib([{"sh>": "echo $word"}], frames=[{"a": 1}])
    assert not any(m["type"] == "call" for m in lib.host.messages)


@pytest.mark.parametrize(
    "config, chains",
    [
        ({"_parallel": True}, []),
        ({"_parallel": {"limit": 2}}, [("end 0", "start 2"), ("end 1", "start 2"), ("end 0", "start 3")]),
        ({}, [("end 0", "start 1"), ("end 1", "start 2"), ("end 2", "start 3")]),
        ({"_parallel": "false"}, [("end 2", "start 3")]),
    ],
)
def test_parallel(lib, config, chains):
    tasks = [{"py>": "s.mark", "name": str(i)} for i in range(4)]
    if config.get("_parallel") is True:  # only possible if they run at once
        tasks = [*({**t, "wait": f"done-{i + 1}"} for i, t in enumerate(tasks[:-1])), tasks[-1]]
    elif config:
        tasks[0]["wait"] = "done-1" if config["_parallel"] != "false" else None
    _, out = lib(tasks, config=config)
    assert sorted(out) == sorted([f"{w} {i}" for w in ("start", "end") for i in range(4)])
    assert all(out.index(a) < out.index(b) for a, b in chains)


def test_background_and_after(lib):
    order = {
        "+a": {"py>": "s.mark", "name": "a", "wait": "done-b"},
        "+b": {"_background": True, "py>": "s.mark", "name": "b"},
        "+c": {"py>": "s.mark", "name": "c"},
        "+p": {"_parallel": True, "+x": {"py>": "s.mark", "name": "x"}, "+y": {"_after": ["+x"], "py>": "s.mark", "name": "y"}},
    }
    _, out = lib([], config=order)
    for before, after in [("end a", "start c"), ("end b", "start c"), ("end c", "start x"), ("end x", "start y")]:
        assert out.index(before) < out.index(after)


def test_parallel_stores_merge_in_definition_order(lib):
    tasks = [{"sh>": "sleep 0.2"}, {"py>": "s.put", "data": {"v": "y", "m": {"y": 1}}}]
    tasks[0] = {"+w": {"sh>": "sleep 0.2"}, "+s": {"py>": "s.put", "data": {"v": "x", "m": {"x": 1}}}}
    result, _ = lib(tasks, config={"_parallel": True})
    assert result["stored"] == {"v": "y", "m": {"x": 1, "y": 1}}


def test_failure_blocks_what_follows_and_handlers_run(lib):
    config = {
        "_error": {"py>": "s.error"},
        "+a": {"py>": "s.boom", "msg": "first", "_error": {"+x": {"py>": "s.error"}, "+y": {"py>": "s.put", "data": {"h": 1}}}},
        "+b": {"py>": "s.show"},
    }
    result, out = lib([], expect_ok=False, config=config)
    assert out == ["Error messages from python: first (ValueError)"] * 2
    error = result["error"]
    assert error["task"] == "+main+a^sub+a"
    assert error["message"].startswith("Python command failed with code 1\nError messages from python: first (ValueError)")
    failed = [m["task"] for m in lib.host.messages if m["type"] == "event" and m["state"] == "failed"]
    assert failed == ["+main+a^sub+a"]
    assert any(m["type"] == "event" and m["task"] == "+main+a^sub+a^error+x" for m in lib.host.messages)


def test_parallel_siblings_run_to_their_end(lib):
    config = {"_parallel": True, "+a": {"fail>": "at ${n}"}, "+b": {"py>": "s.mark", "name": "b"}}
    result, out = lib([], expect_ok=False, config=config, export={"n": 7})
    assert out == ["start b", "end b"]
    assert result["error"]["message"] == "at 7"


@pytest.mark.parametrize("retry", [2, "2", {"limit": "${limit}", "interval": 0}])
def test_retry_of_a_task(lib, retry):
    result, out = lib([{"py>": "s.flaky", "times": 3, "_retry": retry}], export={"limit": 2})
    assert out == ["try"] * 3
    assert result["stored"] == {"try": 1}


def test_retry_of_a_group_starts_with_empty_stores(lib):
    group = {
        "_retry": 2,
        "+see": {"py>": "s.see", "names": ["one"]},
        "+put": {"py>": "s.put", "data": {"one": 1}},
        "+f": {"py>": "s.flaky", "times": 6},
    }
    result, out = lib([], config={"+g": group, "+after": {"py>": "s.see", "names": ["one"]}})
    assert out == ["one=-", "try"] * 3 + ["one=1"]
    assert result["stored"] == {"one": 1, "try": 1}


def test_a_template_that_fails_is_not_retried(lib):
    result, _ = lib([{"echo>": "${nope}", "_retry": 3}], expect_ok=False)
    assert result["error"]["name"] == "Trowel.Template"
    assert sum(m["type"] == "call" for m in lib.host.messages) == 1


def test_check_sees_stores_and_fails_the_task(lib):
    check = {"+c": {"py>": "s.see", "names": ["v"]}, "+f": {"fail>": "bad"}}
    result, out = lib([{"py>": "s.put", "data": {"v": 1}, "_check": check}, {"py>": "s.show"}], expect_ok=False)
    assert out == ["v=1"]
    assert result["error"]["message"] == "bad"
    assert result["error"]["task"] == "+main+a^sub+subtask0^check+f"


def test_other_operators_and_environment(lib):
    config = {
        "_env": {"A": "group", "B": "${word}"},
        "+s": {"sh>": "echo $A $B $C $P", "_env": {"C": "${secret:c}"}},
        "+o": {"wait>": "1s"},
    }
    result, _ = lib([], config=config, export={"word": "w"}, env={"P": "parent"}, secrets={"c": "see"})
    assert [m["text"] for m in lib.host.messages if m["type"] == "log"] == ["group w *** parent\n"]
    assert result["stored"] == {"ran": "wait"}


@pytest.mark.parametrize(
    "config, message",
    [
        ({"+a": {"ech": "x"}}, "+main+a^sub+a contains invalid keys: 'ech'. An operator ends with '>'."),
        ({"+a": {"_paralel": True}}, "+main+a^sub+a contains invalid keys: '_paralel'. Did you mean '_parallel'?"),
        ({"+a": {"echo>": "x", "sh>": "y"}}, "+main+a^sub+a: A task can't have more than one operator: echo>, sh>"),
        ({"+a": {"echo>": "x", "+b": {}}}, "+main+a^sub+a: A task can't have subtasks: +b"),
        ({"+a": None}, "'+main+a^sub+a' must be a mapping, got None"),
        ({"_parallel": 3, "+a": {"echo>": "x"}}, "+main+a^sub: Invalid _parallel format: 3"),
        ({"_parallel": True, "+a": {"echo>": "x", "_after": ["+z"]}}, "+main+a^sub: Dependency task '+z' does not exist"),
        ({"+a": {"echo>": "x", "_retry": "often"}}, "Invalid _retry: 'often'"),
        ({"+a": {"echo>": "x", "_retry": {"limit": 1, "interval": "30 40"}}}, "Invalid _retry: {'limit': 1, 'interval': '30 40'}"),
        ({"+a": {"sh>": "x", "_timeout": "1.5h"}}, "Invalid _timeout: '1.5h'"),
        ({"+a": {"sh>": "x", "_timeout": 0}}, "Invalid _timeout: 0"),
    ],
)
def test_mistakes(lib, config, message):
    result, _ = lib([], expect_ok=False, config=config)
    assert (result["error"]["name"], result["error"]["message"]) == ("Trowel.BadInput", message)


def test_disabled(lib):
    lib([{"_disable": True, "fail>": "x"}])


def test_timeout_of_a_subtask_and_of_all(lib):
    result, _ = lib([{"sh>": "sleep 60", "_timeout": "1s"}], expect_ok=False)
    assert (result["error"]["name"], result["error"]["message"]) == ("Trowel.TaskTimeout", "Task timed out after 1s")
    result, _ = lib([{"sh>": "sleep 60"}, {"sh>": "sleep 60"}], expect_ok=False, config={"_parallel": True}, timeout=1)
    assert result["error"]["message"] == "Task timed out after 1s"


@pytest.mark.parametrize("case", json.loads(DURATIONS.read_text(encoding="utf-8"))["cases"], ids=lambda case: repr(case["value"]))
def test_durations(case):
    if case["seconds"] is None:
        with pytest.raises(ValueError):
            subtasks.seconds(case["value"])
    else:
        assert subtasks.seconds(case["value"]) == case["seconds"]


@pytest.mark.slow
def test_many(lib):
    result, _ = lib([{"py>": "s.put", "data": {f"k{i}": i}} for i in range(150)], config={"_parallel": True}, timeout=120)
    assert result["stored"] == {f"k{i}": i for i in range(150)}
    lib([{"echo>": str(i)} for i in range(3000)])


def test_result_file_of_a_task_with_subtasks(lib):
    path = lib.host.root / "results" / "r.json"
    result, _ = lib([{"py>": "s.put", "data": {"a": 1}}], result=str(path), frames=[{"x": 1}])
    recorded = json.loads(path.read_text())
    assert recorded["result"] == result
    assert result["stored"] == {"a": 1}
    assert "tasks" in recorded["read"]


@pytest.mark.parametrize(
    "cause, message",
    [
        ('{"message": "m"}', "m"),
        ("plain", "plain"),
        (r'{"message":"one\ntwo\u00e9 ', "one\ntwoé …"),
        (r'{"errorType":"E","errorMessage":"cut \u00e', "cut …"),
        ('{"message":"whole","stacktrace":"cu', "whole"),
    ],
)
def test_failure_cut(cause, message):
    """As failureOf of lib/contract/failure.ts reads it."""
    assert scopes.failure({"Error": "E", "Cause": cause})["message"] == message
