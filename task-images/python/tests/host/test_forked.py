"""The process that waits for the next task, and the end of one for which nobody waits."""

import os
import signal
import sys
import time
from pathlib import Path

import pytest

linux = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")


def children(pid):
    return [int(p) for p in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def until(condition, seconds=10.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@linux
def test_a_killed_spare_is_no_tasks_loss(host):
    host.file("t.py", "def f(): print('ran')\n")
    for _ in range(3):
        until(lambda: len(children(host.process.pid)) == 1)
        spare = children(host.process.pid)[0]
        os.kill(spare, signal.SIGKILL)
        until(lambda pid=spare: not Path(f"/proc/{pid}").exists())
        assert host.py("t.f")["ok"]
    assert host.log() == "ran\n" * 3


@linux
def test_the_spare_ends_with_the_worker(start_host):
    host = start_host()
    until(lambda: len(children(host.process.pid)) == 1)
    spare = children(host.process.pid)[0]
    host.process.kill()
    host.process.wait()
    until(lambda: not Path(f"/proc/{spare}").exists() or "Z" in Path(f"/proc/{spare}/stat").read_text().split()[2])


@linux
def test_one_process_waits_and_no_more(host):
    host.file("t.py", "def f(): pass\n")
    ids = [host.start("py", "t.f") for _ in range(10)]
    for _ in ids:
        host.wait("result")
    until(lambda: len(children(host.process.pid)) == 1)


def test_tasks_share_nothing(host):
    """Each has a process, a folder and random numbers of its own, whichever of them waited."""
    host.file(
        "t.py",
        """
        import digdag, os, random, sys
        def f():
            folder = os.environ['PIP_TARGET']
            left = [os.environ.get('LEFT'), 'left' in vars(sys), os.listdir(folder)]
            digdag.env.store({'n': [os.getpid(), folder, random.random(), *left]})
            os.environ['LEFT'], sys.left = 'x', 1
            open(os.path.join(folder, 'left'), 'w').close()
        """,
    )
    seen = [host.py("t.f")["stored"]["n"] for _ in range(4)]
    assert all(len({str(each[i]) for each in seen}) == 4 for i in range(3))
    assert [each[3:] for each in seen] == [[None, False, []]] * 4


@pytest.mark.parametrize("change", ["", "os.chmod(folder, 0o755)", "os.rmdir(folder)", "os.rmdir(folder); os.symlink('/', folder)"])
def test_a_folder_serves_another_task_only_if_it_is_as_it_was(host, change):
    host.file(
        "t.py",
        f"""
        import digdag, os
        def f(changes):
            folder = os.environ['PIP_TARGET']
            digdag.env.store({{'n': [folder, oct(os.lstat(folder).st_mode), os.listdir(folder)]}})
            if changes:
                {change or "pass"}
        """,
    )
    seen = [host.py("t.f", changes=at == 1)["stored"]["n"] for at in range(5)]
    assert [each[1:] for each in seen] == [["0o40700", []]] * 5
    changed = seen[1][0]
    assert any(each[0] == changed for each in seen[2:]) == (change == "")


def test_tasks_at_the_same_time_have_folders_of_their_own(host):
    host.file("t.py", "import os, time\ndef f():\n    print(os.environ['PIP_TARGET'])\n    time.sleep(0.3)\n")
    host.py("t.f")
    ids = [host.start("py", "t.f") for _ in range(6)]
    for _ in ids:
        host.wait("result")
    assert len(set(host.log().split()[1:])) == 6


def test_what_is_printed_when_the_process_ends_is_there(any_host):
    any_host.file("t.py", "import atexit\ndef f():\n    print('ran')\n    atexit.register(print, 'end')\n")
    for _ in range(5):
        assert any_host.py("t.f")["ok"]
    assert any_host.log() == "ran\nend\n" * 5


@linux
def test_what_is_started_when_the_process_ends_is_ended(host):
    host.file(
        "t.py",
        """
        import atexit, subprocess
        def f(): atexit.register(lambda: print(subprocess.Popen(['sleep', '60'], start_new_session=True).pid, flush=True))
        """,
    )
    assert host.py("t.f")["ok"]
    pid = int(host.log())
    until(lambda: not Path(f"/proc/{pid}").exists())


def test_a_process_that_crashes_after_its_task_has_succeeded(any_host):
    any_host.file("t.py", "import atexit, os\ndef f(): atexit.register(os.abort)\n")
    assert any_host.py("t.f")["ok"]


def test_a_long_assignment(host):
    host.file("t.py", "def f(text): print(len(text))\n")
    assert host.py("t.f", text="é" * 300_000)["ok"]
    assert host.log() == "300000\n"
