"""run.py, worker.py, task/debugging.py: other interpreters, the foreground command, the debugger, what is imported."""

import json
import os
import pty
import subprocess
import sys
import time

import pytest
from conftest import SOURCE, gone


def test_other_interpreter(any_host, tmp_path):
    host = any_host
    host.file(
        "w.py", "import sys, digdag\ndef f(n):\n  print(sys.argv, 'task-images' in ' '.join(sys.path))\n  digdag.env.store(n=n + 1)\n"
    )
    wrapper = host.file("bin/python-x", f'#!/bin/sh\necho wrapped "$1"\nexec {sys.executable} "$@"\n')
    wrapper.chmod(0o755)
    for python in ("bin/python-x", [str(wrapper), "-B"]):
        result = host.run("py", "w.f", params={"n": 1}, python=python, secrets={"a": "b"})
        assert result.get("stored") == {"n": 2}, result
    assert "wrapped -B\n" in host.log()
    assert "['w.f'] False" in host.log()


def test_interpreter_that_is_not_there(host):
    host.file("w.py", "def f(): pass\n")
    error = host.run("py", "w.f", python=["no-python-here"])["error"]
    assert "Cannot run the Python interpreter 'no-python-here' that `python:` names" in error["message"]


def test_interpreter_too_old(host):
    host.file("old/python", "#!/bin/sh\nexit 1\n").chmod(0o755)
    host.file("w.py", "def f(): pass\n")
    assert host.run("py", "w.f", python=["old/python"])["error"]["message"] == "the task ended without a result (exit code 1)"


def test_run_a_file(tmp_path):
    (tmp_path / "t.py").write_text(
        "import digdag, os\ndef f(): print(os.environ['S'], 'SECRET_A' in os.environ); digdag.env.store(a=1); digdag.env.add_subtask(g)\n"
        "def g(): digdag.env.store(b=2)\n"
    )
    assignment = {"v": 1, "task": "+t", "operator": "py", "params": {"py>": "t.f"}, "env": {"S": "${secret:a}"}}
    (tmp_path / "a.json").write_text(json.dumps({"assignment": assignment, "secrets_env": {"a": "SECRET_A"}}))
    done = subprocess.run(
        [sys.executable, "-m", "trowel_task", "run", "a.json"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(SOURCE), "SECRET_A": "hush"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["stored"] == {"a": 1, "b": 2}
    assert done.stderr == "*** False\n"


def test_run_a_file_that_fails(tmp_path):
    (tmp_path / "a.json").write_text(json.dumps({"v": 1, "operator": "sh", "params": {"sh>": "exit 4"}}))
    done = subprocess.run(
        [sys.executable, "-m", "trowel_task", "run", str(tmp_path / "a.json")], cwd=SOURCE, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert json.loads(done.stdout)["error"]["message"] == "Command failed with code 4 (runtime)"


def test_pdb_on_the_terminal(tmp_path):
    """A worker with a controlling terminal, as under the command line."""
    (tmp_path / "d.py").write_text("def f(n):\n    breakpoint()\n    m = n + 1\n    raise ValueError(m)\n")
    to_worker, from_worker = os.pipe(), os.pipe()
    pid, terminal = pty.fork()
    if pid == 0:
        os.dup2(to_worker[0], 0)
        os.dup2(from_worker[1], 1)
        os.chdir(SOURCE)
        os.execv(sys.executable, [sys.executable, "-m", "trowel_task", "worker"])
    messages = os.fdopen(from_worker[0])
    send = os.fdopen(to_worker[1], "w", 1)
    os.close(from_worker[1])
    os.close(to_worker[0])
    send.write(json.dumps({"type": "hello", "v": 1, "cwd": str(tmp_path)}) + "\n")
    assert json.loads(messages.readline())["type"] == "ready"
    assignment = {"v": 1, "task": "+d", "operator": "py", "params": {"py>": "d.f", "n": 41}, "timeout": 0.5}
    send.write(json.dumps({"type": "start", "id": "1", "assignment": assignment, "debug": {"mode": "pdb"}}) + "\n")
    seen = ""

    def expect(text):
        nonlocal seen
        deadline = time.monotonic() + 20
        while text not in seen and time.monotonic() < deadline:
            seen += os.read(terminal, 4096).decode()
        assert text in seen, seen
        seen = seen.partition(text)[2]

    expect("debugging +d: breakpoint() stops there")
    expect("(Pdb) ")
    os.write(terminal, b"p n\n")
    expect("41")
    os.write(terminal, b"c\n")
    expect("ValueError: 42")
    expect("(Pdb) ")
    os.write(terminal, b"p m * 2\n")
    expect("84")
    os.write(terminal, b"q\n")
    assert json.loads(messages.readline())["type"] == "started"
    while (message := json.loads(messages.readline()))["type"] != "result":
        pass
    assert message["result"]["error"]["class"] == "ValueError"
    send.close()
    os.waitpid(pid, 0)
    assert gone(pid)


def test_pdb_without_a_terminal(start_host):
    host = start_host(start_new_session=True)
    host.file("d.py", "def f(): pass\n")
    id = host.start("py", "d.f", debug={"mode": "pdb"})
    assert "--debug needs a terminal" in host.wait("result", id=id)["result"]["error"]["message"]


def test_debugpy_that_is_not_installed(host):
    if subprocess.run([sys.executable, "-c", "import debugpy"], capture_output=True).returncode == 0:
        pytest.skip("debugpy is installed")
    host.file("d.py", "def f(): pass\n")
    id = host.start("py", "d.f", debug={"mode": "debugpy", "port": 5678})
    assert "needs the package debugpy" in host.wait("result", id=id)["result"]["error"]["message"]


def test_the_worker_imports_nothing_heavy():
    """Each of these costs 5 ms or more before the worker is ready."""
    code = "import sys; import trowel_task.host.worker; print(sorted(sys.modules))"
    made = subprocess.run([sys.executable, "-S", "-c", code], cwd=SOURCE, capture_output=True, text=True, check=True)
    for name in ("typing", "inspect", "asyncio", "ctypes", "dataclasses", "tempfile", "shutil", "hashlib", "traceback", "pathlib"):
        assert f"'{name}'" not in made.stdout
