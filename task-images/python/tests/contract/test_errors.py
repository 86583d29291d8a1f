"""What is said about a failure."""

import sys

import pytest

BOOM = """
    import sys, threading
    class StockError(Exception): pass
    def go(): inner("lamps")
    def inner(what): raise StockError(f"no {what} left")
    def chained():
        try: inner("x")
        except StockError as e: raise RuntimeError("outer") from e
    class Bad(Exception):
        def __str__(self): raise ValueError("no text")
    def bad(): raise Bad()
    def surrogate(): raise ValueError("caf\\udce9")
    def deep(): deep()
    def group():
        raise ExceptionGroup("many", [ValueError("one"), TypeError("two")])
    def interrupt(): raise KeyboardInterrupt
    def leave(code): sys.exit(code)
    def leave_none(): sys.exit()
    def lines(): raise ValueError("first\\nsecond 'quoted' \\"text\\"")
    def cycle():
        a = ValueError("a"); b = ValueError("b"); a.__cause__ = b; b.__cause__ = a
        raise a
    def thread():
        t = threading.Thread(target=lambda: print("from thread")); t.start()
"""


def test_digdags_form_with_the_users_frames_only(any_host):
    host = any_host
    path = host.file("boom.py", BOOM)
    error = host.py("boom.go")["error"]
    assert error["message"].split("\n") == [
        "Python command failed with code 1",
        "Error messages from python: no lamps left (StockError)",
        "\tfrom Traceback (most recent call last):",
        f'\tfrom   File "{path}", line 4, in go',
        '    def go(): inner("lamps")',
        *([] if "^" not in error["message"] else [next(x for x in error["message"].split("\n") if "^" in x)]),
        f'\tfrom   File "{path}", line 5, in inner',
        '    def inner(what): raise StockError(f"no {what} left")',
        *([] if error["message"].count("^\n") < 2 else [[x for x in error["message"].split("\n") if "^" in x][1]]),
        "\tfrom boom.StockError: no lamps left (runtime)",
    ]
    assert error["class"] == "StockError"
    assert error["stacktrace"].startswith("Traceback (most recent call last):\n  File ")
    assert error["stacktrace"].endswith("boom.StockError: no lamps left")
    assert "trowel_task" not in error["stacktrace"] + error["message"]
    assert error["stacktrace"] in host.log()


@pytest.mark.parametrize(
    "name, parts",
    [
        ("chained", ["outer (RuntimeError)", "no x left", "direct cause"]),
        ("bad", ["its __str__ failed", "(Bad)"]),
        ("surrogate", ["caf", "(ValueError)"]),
        ("deep", ["(RecursionError)", "line repeated"]),
        ("interrupt", ["(KeyboardInterrupt)"]),
        ("lines", ["first\nsecond 'quoted' \"text\" (ValueError)"]),
        ("cycle", ["a (ValueError)"]),
        pytest.param(
            "group",
            ["many (2 sub-exceptions) (ExceptionGroup)", "ValueError: one", "TypeError: two"],
            marks=pytest.mark.skipif(sys.version_info < (3, 11), reason="Python 3.11 has them"),
        ),
    ],
)
def test_every_kind_of_exception(host, name, parts):
    host.file("boom.py", BOOM)
    error = host.py(f"boom.{name}")["error"]
    assert error["name"] == "Trowel.TaskFailed"
    for part in parts:
        assert part in error["message"]


@pytest.mark.parametrize("code, message", [(3, "failed with code 3\nError messages from python: the task called sys.exit(3)"),
                                           ("no stock", "failed with code 1\nError messages from python: sys.exit: no stock")])  # fmt: skip
def test_leaving_with_a_failure(host, code, message):
    host.file("boom.py", BOOM)
    assert message in host.py("boom.leave", code=code)["error"]["message"]


@pytest.mark.parametrize("code", [0, None])
def test_leaving_with_a_success(host, code):
    host.file("boom.py", BOOM)
    assert host.py("boom.leave", code=code)["ok"]


def test_threads_are_waited_for(host):
    host.file("boom.py", BOOM)
    assert host.py("boom.thread")["ok"]
    assert "from thread" in host.log()
    assert host.py("boom.leave_none")["ok"]


def test_atexit_runs_and_output_is_flushed(host):
    host.file("a.py", "import atexit, sys\ndef f():\n  atexit.register(print, 'bye')\n  sys.stdout.write('no newline ')\n")
    assert host.py("a.f")["ok"]
    assert host.log() == "no newline bye\n"


def test_apt_in_a_task(host):
    host.file(
        "os_package.py",
        """
        import subprocess
        def go(): subprocess.run(["false", "apt-get", "update"], check=True)
        def other(): subprocess.run(["false", "adapt", "update"], check=True)
    """,
    )
    hint = " Packages of the operating system come with the image: `apt: [NAME]` in trowel.yml"
    assert host.py("os_package.go")["error"]["message"].split("\n")[1].endswith(f"(CalledProcessError){hint}")
    assert "apt:" not in host.py("os_package.other")["error"]["message"]
