"""process.py, worker.py: whatever a task does, the host gets one clear result, other tasks go on, and no process stays."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest
from conftest import SOURCE, alive, gone

ROUGH = """
    import os, signal, subprocess, sys, time

    def much():
        line = b"x" * 99 + b"\\n"
        block = line * 10_000
        for _ in range(100): os.write(1, block)
    def no_utf8(): os.write(1, b"a\\xff\\xfeb\\xe3\\x81\\n\\x80 tail")
    def closes():
        os.close(1); os.close(2)
    def closes_streams():
        print("before"); sys.stdout.close(); sys.stderr.close()
    def quits(code): os._exit(code)
    def killed(): os.kill(os.getpid(), signal.SIGKILL)
    def crashes():
        import ctypes
        ctypes.string_at(0)
    def daemon(close):
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                if close:
                    os.closerange(0, 100)
                time.sleep(60)
            os._exit(0)
        os.wait()
        time.sleep(0.1)
        print("daemon started")
    def leaves_child():
        print(subprocess.Popen(["sleep", "60"]).pid, flush=True)
    def pid_of_daemon():
        p = subprocess.run(["sh", "-c", "setsid sh -c 'echo $$; exec sleep 60' & sleep 0.2"], stdout=1)
    def keeps_pipe():
        subprocess.Popen(["sh", "-c", "sleep 60"], start_new_session=True)
    def forks_and_returns():
        if os.fork() == 0: return
        os.wait()
        print("parent")
    def sleeps(seconds=60):
        child = subprocess.Popen(["sleep", "60"])
        print(os.getpid(), child.pid, flush=True)
        time.sleep(seconds)
    def stubborn():
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        sleeps()
    def polite():
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        sleeps()
    def waits(path):
        while not os.path.exists(path): time.sleep(0.01)
    def fine(): print("fine")
"""


@pytest.fixture
def rough(host):
    host.file("rough.py", ROUGH)
    return host


def pids(host, count, id=None):
    deadline = time.monotonic() + 20
    while len(host.log(id).split()) < count and time.monotonic() < deadline:
        host.next()
    return [int(word) for word in host.log(id).split()[:count]]


def test_prints_100_megabytes(rough):
    result = rough.run("py", "rough.much", patience=120)
    assert result["ok"]
    texts = [m["text"] for m in rough.messages if m["type"] == "log"]
    assert sum(map(len, texts)) == 100_000_000
    assert all(len(t) <= 65_536 and t.endswith("x\n") for t in texts)


def test_a_host_that_does_not_read_makes_the_task_wait_and_the_worker_small(tmp_path):
    (tmp_path / "rough.py").write_text(__import__("textwrap").dedent(ROUGH))
    worker = subprocess.Popen([sys.executable, "-m", "trowel_task", "worker"], cwd=SOURCE, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def send(**message):
        worker.stdin.write(json.dumps(message).encode() + b"\n")
        worker.stdin.flush()

    send(type="hello", v=1, cwd=str(tmp_path))
    assert json.loads(worker.stdout.readline())["type"] == "ready"
    for id, name in (("1", "much"), ("2", "sleeps")):
        assignment = {"v": 1, "operator": "py", "params": {"py>": f"rough.{name}"}}
        send(type="start", id=id, assignment=assignment)
    time.sleep(1.5)
    with open(f"/proc/{worker.pid}/status") as status:
        size = next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))
    assert size < 60_000  # KiB
    send(type="kill", id="2", grace=1)
    total, ended = 0, {}
    while len(ended) < 2:
        message = json.loads(worker.stdout.readline())
        if message["type"] == "log" and message["id"] == "1":
            total += len(message["text"])
        if message["type"] == "result":
            ended[message["id"]] = message["result"]["ok"]
    assert (total, ended) == (100_000_000, {"1": True, "2": False})
    worker.stdin.close()
    assert worker.wait(10) == 0
    worker.stdout.close()


def test_invalid_utf8_is_replaced(rough):
    assert rough.py("rough.no_utf8")["ok"]
    assert rough.log() == "a\ufffd\ufffdb\ufffd\n\ufffd tail"


def test_a_task_killed_next_to_others_names_the_limit(rough):
    error = rough.run("py", "rough.killed", shares=[[1, 6]])["error"]
    assert "perhaps out of memory: tasks that run at the same time share this machine's memory" in error["message"]
    assert "`_parallel: {limit: 4}`" in error["message"]


@pytest.mark.parametrize("name", ["closes", "closes_streams", "forks_and_returns"])
def test_is_a_success_all_the_same(rough, name):
    assert rough.py(f"rough.{name}")["ok"]
    assert sum(m["type"] == "result" for m in rough.messages) == 1


@pytest.mark.parametrize(
    "name, params, message",
    [
        ("quits", {"code": 0}, "the task ended without a result (exit code 0)"),
        ("quits", {"code": 3}, "the task ended without a result (exit code 3)"),
        ("killed", {}, "the task was killed by signal 9 (SIGKILL), perhaps out of memory"),
        ("crashes", {}, "the task was killed by signal 11 (SIGSEGV)"),
    ],
)
def test_ends_without_a_result(rough, name, params, message):
    other = rough.start("py", "rough.waits", params={"path": str(rough.project / "go")})
    error = rough.py(f"rough.{name}", **params)["error"]
    assert error == {"name": "Trowel.TaskFailed", "message": message}
    (rough.project / "go").touch()
    assert rough.wait("result", id=other)["result"]["ok"]
    if name == "crashes":
        assert 'rough.py", line' in rough.log()


@pytest.mark.skipif(sys.platform != "linux", reason="finds daemons by /proc")
@pytest.mark.parametrize("name, params", [("daemon", {"close": False}), ("daemon", {"close": True}), ("keeps_pipe", {})])
@pytest.mark.parametrize("busy", [False, True])
def test_daemons_end_with_their_task(rough, name, params, busy):
    if busy:
        rough.start("py", "rough.waits", params={"path": str(rough.project / "go")})
    began = time.monotonic()
    assert rough.py(f"rough.{name}", **params)["ok"]
    assert time.monotonic() - began < 20
    left = [
        pid
        for pid in os.listdir("/proc")
        if pid.isdigit() and os.path.exists(f"/proc/{pid}/cwd") and same_cwd(pid, rough.project) and alive(pid)
    ]
    assert len(left) == (1 if busy else 0)
    (rough.project / "go").touch()


def same_cwd(pid, folder):
    try:
        return os.readlink(f"/proc/{pid}/cwd") == str(folder)
    except OSError:
        return False


def test_children_end_with_their_task(rough):
    assert rough.py("rough.leaves_child")["ok"]
    assert gone(int(rough.log()))


@pytest.mark.parametrize("operator, command", [("py", "rough.sleeps"), ("py", "rough.polite"), ("sh", "sleep 61 & echo $$ $!; wait")])
def test_timeout_ends_the_whole_group(rough, operator, command):
    result_file = str(rough.project / "result.json")
    id = rough.start(operator, command, timeout=0.6, result=result_file)
    error = rough.wait("result", id=id)["result"]["error"]
    assert (error["name"], error["message"]) == ("Trowel.TaskTimeout", "Task timed out after 0.6s")
    assert all(gone(pid) for pid in pids(rough, 2))
    assert not os.path.exists(result_file)


def test_kill_is_polite_first(rough):
    id = rough.start("py", "rough.stubborn")
    started = pids(rough, 2)
    began = time.monotonic()
    rough.send(type="kill", id=id, grace=0.5)
    result = rough.wait("result", id=id)["result"]
    assert result["error"]["message"] == "the task was stopped"
    assert time.monotonic() - began >= 0.5
    assert all(gone(pid) for pid in started)


@pytest.mark.parametrize("how", ["stdin", "stop", "sigterm", "sigkill"])
def test_nothing_survives_the_worker(rough, how):
    rough.start("py", "rough.stubborn" if how != "sigkill" else "rough.sleeps")
    started = pids(rough, 2)
    if how == "stdin":
        rough.process.stdin.close()
    elif how == "stop":
        rough.send(type="stop", grace=0.2)
    else:
        rough.process.send_signal(signal.SIGTERM if how == "sigterm" else signal.SIGKILL)
    assert rough.process.wait(15) == (-9 if how == "sigkill" else 0)
    # after SIGKILL of the worker its tasks die at once; what they started is the host's to end (the pid in `started` is the group)
    if how == "sigkill":
        os.killpg(started[0], signal.SIGKILL)
    assert all(gone(pid) for pid in started)


def test_ctrl_c_is_the_hosts_affair(rough):
    id = rough.start("py", "rough.sleeps", params={"seconds": 1})
    pids(rough, 2)
    rough.process.send_signal(signal.SIGINT)
    assert rough.wait("result", id=id)["result"]["ok"]


def test_fifty_at_once(rough):
    ids = [rough.start("py", "rough.fine") for _ in range(50)]
    results = {}
    while len(results) < 50:
        message = rough.wait("result")
        results[message["id"]] = message["result"]["ok"]
    assert results == dict.fromkeys(ids, True)
    assert all(rough.log(id) == "fine\n" for id in ids)


@pytest.mark.parametrize(
    "lines, text",
    [
        ([{"type": "hello", "v": 2}], "speaks version 1 of the protocol, the host speaks 2"),
        ([{"type": "hello", "v": 1, "preload": ["no_such_module"]}], "preload: cannot import 'no_such_module': ModuleNotFoundError"),
        ([{"type": "start"}], "expected 'hello' as the first message, got 'start'"),
        ([{"type": "hello", "v": 1}, {"type": "dance"}], "unknown message type 'dance'"),
        ([{"type": "hello", "v": 1}, {"type": "start"}], "a 'start' message is malformed"),
        (["garbage"], "expected a JSON object with a 'type'"),
    ],
)
def test_fatal(start_host, lines, text):
    host = start_host(hello=False)
    for line in lines:
        host.process.stdin.write((line if isinstance(line, str) else json.dumps(line)).encode() + b"\n")
    host.process.stdin.flush()
    while (message := host.next())["type"] != "fatal":
        pass
    assert text in message["message"]
    assert host.process.wait(10) == 1


@pytest.mark.parametrize(
    "fields, text",
    [
        ({"v": 2}, "this runner knows assignments of version 1, got 2"),
        ({"params": []}, "assignment: 'params' has the wrong type (list)"),
        ({"operator": "rb"}, "this runner has no operator 'rb>'"),
    ],
)
def test_assignments_that_cannot_be_run(host, fields, text):
    id = "x"
    host.send(type="start", id=id, assignment={"v": 1, "operator": "py", **fields})
    error = host.wait("result", id=id)["result"]["error"]
    assert (error["name"], error["message"]) == ("Trowel.BadInput", text)


def test_messages_from_a_file(tmp_path):
    (tmp_path / "m.jsonl").write_text(json.dumps({"type": "hello", "v": 1, "cwd": str(tmp_path)}) + "\n")
    with open(tmp_path / "m.jsonl") as given, open(tmp_path / "out", "w") as made:
        done = subprocess.run([sys.executable, "-m", "trowel_task", "worker"], cwd=SOURCE, stdin=given, stdout=made)
    assert done.returncode == 0
    assert json.loads((tmp_path / "out").read_text())["type"] == "ready"


def test_preload_and_modules_of_the_project_that_are_called_like_pythons(start_host, tmp_path):
    for name in ("json", "types", "selectors", "secrets"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('hidden')\n")
    (tmp_path / "mine.py").write_text("print('loaded')\ncount = 1\ndef f():\n  global count\n  count += 1\n  print(count)\n")
    host = start_host(preload=["csv", "mine"])
    assert host.ready["type"] == "ready"
    assert host.py("mine.f")["ok"]
    assert host.log() == "2\n"


def test_tasks_draw_different_random_numbers(start_host):
    modules = ["random"]
    if subprocess.run([sys.executable, "-c", "import numpy"], capture_output=True).returncode == 0:
        modules.append("numpy.random")
    host = start_host(preload=modules)
    for name in modules:
        host.file("r.py", f"import {name}\ndef f(): print({name}.random())\n")
        assert host.py("r.f")["ok"] and host.py("r.f")["ok"]
        first, second = host.log().split()[-2:]
        assert first != second


def test_temporary_folders_are_removed(start_host, tmp_path):
    (tmp_path / "tmp").mkdir()
    host = start_host(env={"TMPDIR": str(tmp_path / "tmp")})
    assert host.run("sh", "touch $PIP_TARGET/x; echo hi")["ok"]
    assert host.close() == 0
    assert os.listdir(tmp_path / "tmp") == []
