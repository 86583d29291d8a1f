"""Adapters by what they may do (task/task_host.py), with stand-ins that a preloaded module of the project adds to the package."""

import os
import signal

import pytest
from conftest import gone

PATHS = "import os, trowel_task.adapters as room\nroom.__path__.append(os.path.join(os.path.dirname(__file__), 'standins'))\n"


@pytest.fixture
def adapted(start_host):
    """A worker that has a further adapter, of this text."""

    def make(text, **files):
        made = start_host(hello=False)
        made.file("paths.py", PATHS)
        made.file("standins/standin.py", text)
        for name, content in files.items():
            made.file(f"{name}.py", content)
        made.send(type="hello", v=1, preload=["paths"], cwd=str(made.project))
        made.wait("ready", "fatal")
        return made

    return make


def reports(host):
    return [(m["kind"], m["level"], m["data"]) for m in host.messages if m["type"] == "report"]


@pytest.mark.parametrize("name", ["nothing", "digdg", "os", "../standins/standin", "digdag.run", "standin.x", ""])
def test_only_modules_that_are_there_are_loaded(adapted, name):
    host = adapted("def run(host): host.report('x')")
    error = host.run("sh", "true", adapter=name)["error"]
    assert error["name"] == "Trowel.BadInput"
    assert error["message"].startswith(f"this runner has no adapter '{name}', it has digdag, standin.")
    assert ("Did you mean 'digdag'?" in error["message"]) == (name in ("digdg", "digdag.run"))


def test_a_module_without_run_is_no_adapter(adapted):
    assert adapted("x = 1").run("sh", "true", adapter="standin")["error"]["message"] == "'standin' is no adapter: it has no function `run`"


def test_what_it_is_given(adapted):
    host = adapted(
        """
        import os
        def run(host):
            host.report("given", {
                "n": host.params["n"], "env": host.env, "task": host.assignment.task, "tries": host.tries, "run": host.run,
                "scratch": os.path.isdir(host.scratch), "environ": os.environ.get("TOKEN"), "control": host.assignment.adapter,
            })
            host.ran.store.update(host.store.take({"made": b"bytes"}))
        """
    )
    fields = {"params": {"n": 3, "unread": 1}, "env": {"TOKEN": "${secret:k}x"}, "secrets": {"k": "ab"}, "try": 2, "run": "7"}
    result = host.run("py", "t.f", adapter="standin", **fields)
    given = {"n": 3, "env": {"TOKEN": "abx"}, "task": "+main+a", "tries": 2, "run": "7", "scratch": True, "environ": None}
    assert reports(host) == [("given", "info", {**given, "control": "standin"})]
    assert result["stored"]["made"]["kind"] == "bytes"
    assert set(result["read"]) == {"n"}


def test_reports_come_while_the_task_works_and_have_no_secrets(adapted):
    host = adapted(
        """
        import os, time
        def run(host):
            host.report("asset", {"key": "hush-hush", "hush-hush": ["x hush-hush"], "other": "hidden-too"})
            host.report("check", "hush-hush", "warning")
            host.report("plain", level="error")
            while not os.path.exists("go"): time.sleep(0.01)
        """
    )
    id = host.start("sh", "true", adapter="standin", secrets={"k": "hush-hush"}, hide=["hidden-too"])
    for _ in range(3):
        host.wait("report", id=id)
    assert reports(host) == [
        ("asset", "info", {"key": "***", "***": ["x ***"], "other": "***"}),
        ("check", "warning", "***"),
        ("plain", "error", None),
    ]
    (host.project / "go").touch()
    assert host.wait("result", id=id)["result"]["ok"]


def test_what_is_no_report_is_refused_where_it_is_made(adapted):
    host = adapted(
        """
        def run(host):
            said = []
            for args in [("Asset", 1), ("", 1), ("a" * 65, 1), ("a", 1, "debug"), ("a", float("nan")), ("a", {1, 2})]:
                try:
                    host.report(*args)
                except (ValueError, TypeError) as error:
                    said.append(type(error).__name__)
            host.report("said", said)
        """
    )
    assert host.run("sh", "true", adapter="standin")["ok"]
    assert reports(host) == [("said", "info", ["ValueError"] * 5 + ["TypeError"])]


def test_what_is_too_long_is_cut_with_its_size(adapted):
    host = adapted("def run(host):\n  for n in (60_000, 70_000, 10_000_000): host.report('text', 'secret' + 'x' * n)\n")
    assert host.run("sh", "true", adapter="standin", secrets={"k": "secret"})["ok"]
    whole, *cut = [m for m in host.messages if m["type"] == "report"]
    assert "cut" not in whole and whole["data"] == "***" + "x" * 60_000
    assert [m["cut"] for m in cut] == [70_005, 10_000_005]
    assert all(m["data"].startswith('"***xxx') and len(m["data"]) == 16_000 for m in cut)


def test_many_threads_may_report(adapted):
    host = adapted(
        """
        import threading
        def run(host):
            def work(n):
                for i in range(500): host.report("n", [n, i])
            threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
            for thread in threads: thread.start()
            for thread in threads: thread.join()
        """
    )
    assert host.run("sh", "true", adapter="standin")["ok"]
    said = [data for _, _, data in reports(host)]
    assert sorted(said) == [[n, i] for n in range(4) for i in range(500)]
    assert [i for n, i in said if n == 0] == list(range(500))


def test_a_failure_has_a_message_and_an_exit_code(adapted):
    host = adapted("def run(host):\n  host.report('before')\n  host.fail('not this time', 3)\n")
    result = host.run("sh", "true", adapter="standin")
    assert result == {"ok": False, "error": {"name": "Trowel.TaskFailed", "message": "not this time", "exit": 3}}
    assert reports(host) == [("before", "info", None)]


RUNS = """
def run(host):
    started = host.python(["--fast", "2"], {"EXTRA": "1"})
    host.report("pid", started.pid)
    ended = started.wait()
    host.report("ended", [ended.exit, ended.error and ended.error.message.split("\\n")[0]])
    if ended.error: raise ended.error
"""


def test_python_runs_the_task_in_a_process_below(adapted):
    host = adapted(
        RUNS,
        t="""
        import datetime, digdag, os, sys
        def f(n):
            print(sys.argv, os.environ["EXTRA"], os.environ["OWN"], n)
            digdag.env.store({"pid": os.getpid(), "day": datetime.date(2030, 1, 1), "big": 2**60, "raw": b"x"})
            digdag.env.store({"long": ["y" * 20_000], "m": {"trowel:b": 1}})
            digdag.env.add_subtask(g)
        def g(day, raw, long, big):
            digdag.env.store({"again": [str(day), raw, len(long[0]), big == 2**60, os.getppid()]})
        """,
    )
    result = host.run("py", "t.f", adapter="standin", params={"n": 5}, env={"OWN": "2"}, frames=[])
    pid = reports(host)[0][2]
    assert host.log() == "['t.f', '--fast', '2'] 1 2 5\n"
    stored = result["stored"]
    assert stored["pid"] == pid and reports(host)[1] == ("ended", "info", [0, None])
    kept = (stored["day"]["text"], stored["big"]["text"], stored["raw"]["kind"], stored["m"])
    assert kept == (
        "2030-01-01",
        str(2**60),
        "bytes",
        {"trowel::b": 1},
    )
    assert stored["again"][0] == "2030-01-01" and stored["again"][2:4] == [20_000, True]
    assert "n" in result["read"]


@pytest.mark.parametrize(
    "code, exit, message",
    [
        ("os.kill(os.getpid(), 9)", 137, "the task was killed by signal 9 (SIGKILL), perhaps out of memory"),
        ("os._exit(4)", 4, "the task ended without a result (exit code 4)"),
        ("sys.exit(3)", 3, "Python command failed with code 3"),
        ("raise ValueError('no')", 1, "Python command failed with code 1"),
        ("sys.exit(0)", 0, None),
    ],
)
def test_how_python_ended_is_seen(adapted, code, exit, message):
    host = adapted(RUNS, t=f"import os, sys\ndef f():\n  print('out', flush=True)\n  {code}\n")
    result = host.run("py", "t.f", adapter="standin")
    assert reports(host)[1:] == [("ended", "info", [exit, message])]
    assert host.log().startswith("out\n")
    assert (result["ok"], result.get("error", {}).get("exit")) == (exit == 0, exit or None)
    if code.startswith("raise"):
        assert result["error"]["stacktrace"].endswith("ValueError: no")


def test_shell_runs_the_script_below(adapted):
    host = adapted(
        """
        def run(host):
            ended = host.shell({"EXTRA": "1"}).wait()
            host.report("ended", [ended.exit, ended.error and ended.error.message])
            if ended.exit != 4: host.fail("exit code 4 was expected", ended.exit)
        """
    )
    assert host.run("sh", 'echo "$EXTRA $n $OWN"; exit 4', adapter="standin", params={"n": 3}, env={"OWN": "2"})["ok"]
    assert host.log() == "1 3 2\n"
    assert host.run("sh", "kill -9 $$", adapter="standin")["error"] == {
        "name": "Trowel.TaskFailed", "message": "exit code 4 was expected", "exit": 137,
    }  # fmt: skip
    assert reports(host) == [
        ("ended", "info", [4, "Command failed with code 4 (runtime)"]),
        ("ended", "info", [137, "Command failed with code 137: killed by SIGKILL, perhaps out of memory (runtime)"]),
    ]


def test_each_runs_only_what_the_operator_has(adapted):
    host = adapted("def run(host):\n  host.python() if host.assignment.operator == 'sh' else host.shell()\n")
    assert host.run("sh", "true", adapter="standin")["error"]["message"] == "sh> runs no python"
    assert host.run("py", "t.f", adapter="standin")["error"]["message"] == "py> runs no shell"


def test_an_adapter_may_look_after_user_code(adapted):
    host = adapted(
        """
        def run(host):
            started = host.python()
            while started.wait(0.01) is None:
                host.report("waits")
                open("go", "w").close()
            host.report("over", started.wait(0).exit)
        """,
        t="import os, time\ndef f():\n  while not os.path.exists('go'): time.sleep(0.01)\n",
    )
    assert host.run("py", "t.f", adapter="standin")["ok"]
    assert reports(host)[0] == ("waits", "info", None) and reports(host)[-1] == ("over", "info", 0)


def test_user_code_that_is_stopped_may_clean_up(adapted):
    host = adapted(
        RUNS,
        t="""
        import signal, sys, time
        def f():
            signal.signal(signal.SIGTERM, lambda *_: sys.exit(5))
            try:
                print("began", flush=True)
                time.sleep(60)
            finally:
                print("cleaned")
        """,
    )
    id = host.start("py", "t.f", adapter="standin")
    host.wait("log", id=id)
    host.send(type="kill", id=id, grace=20)
    assert host.wait("result", id=id)["result"]["error"]["message"] == "the task was stopped"
    assert host.log().startswith("began\ncleaned\n")
    assert reports(host)[-1] == ("ended", "info", [5, "Python command failed with code 5"])


def test_a_task_that_is_killed_keeps_its_reports_and_leaves_nothing(adapted):
    host = adapted("import os\ndef run(host):\n  host.report('a', host.python().pid)\n  host.report('b')\n  os.kill(os.getpid(), 9)\n")
    host.file("t.py", "import time\ndef f(): time.sleep(60)\n")
    assert "killed by signal 9" in host.run("py", "t.f", adapter="standin")["error"]["message"]
    assert [kind for kind, _, _ in reports(host)] == ["a", "b"]
    assert gone(reports(host)[0][2])


def test_user_code_does_not_report(adapted):
    host = adapted(
        "def run(host):\n  host.report('own')\n  host.python().wait()\n",
        t="""
        import os
        def f():
            for fd in range(3, 64):
                try:
                    os.write(fd, b'\\nreport {"kind": "forged", "level": "info", "data": 1}\\n')
                except OSError:
                    pass
        """,
    )
    assert host.run("py", "t.f", adapter="standin")["ok"]
    assert [kind for kind, _, _ in reports(host)] == ["own"]


def test_subtasks_are_the_default_adapters(adapted):
    host = adapted(
        "def run(host):\n  host.report('once')\n  host.python().wait()\n",
        t="import digdag\ndef f(): digdag.env.add_subtask(g)\ndef g(): print('sub')\n",
    )
    assert host.run("py", "t.f", adapter="standin", frames=[])["ok"]
    assert ([kind for kind, _, _ in reports(host)], host.log()) == (["once"], "sub\n")


def test_a_task_without_adapter_loads_nothing_for_one(host):
    host.file("t.py", "import sys\ndef f(): print(*sorted(name for name in sys.modules if 'trowel_task' in name))\n")
    assert host.py("t.f")["ok"]
    loaded = host.log().split()
    assert [name for name in loaded if name.startswith("trowel_task.adapters.")] == ["trowel_task.adapters.digdag"]
    assert "trowel_task.task.below" not in loaded


def test_a_worker_that_is_killed_takes_user_code_with_it(adapted):
    host = adapted("def run(host):\n  started = host.python()\n  host.report('pid', started.pid)\n  started.wait()\n")
    host.file("t.py", "import time\ndef f(): time.sleep(60)\n")
    pid = host.wait("report", id=host.start("py", "t.f", adapter="standin"))["data"]
    os.kill(host.process.pid, signal.SIGKILL)
    assert gone(pid, 20)
