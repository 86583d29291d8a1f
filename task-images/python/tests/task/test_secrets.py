"""Secrets reach only what names them, and are never shown."""

import pytest


def test_env_script_and_mounts(any_host):
    host = any_host
    secrets = {"api_key": "k-55", "my.other.key": "hidden", "pin": "8642"}
    host.run(
        "sh",
        'echo "${secret: api_key } $PIN $PG" > seen; echo "shown: $PIN"',
        env={"PIN": "${ secret:pin }", "PG": "p=${secret:pg.password}"},
        secrets=secrets,
        secrets_map={"pg": {"password": "my.other.key"}},
    )
    assert (host.project / "seen").read_text() == "k-55 8642 p=hidden\n"
    assert host.log() == "shown: ***\n"


def test_missing(host):
    error = host.run("sh", "echo", env={"A": "${secret:key1}"})["error"]
    assert (error["name"], error["message"]) == ("Trowel.Secret", "Secret not found for key: 'key1'")


def test_parameters_are_not_filled(host):
    host.file("s.py", "def f(apikey): print(apikey)\n")
    id = host.start("py", "s.f", params={"apikey": "${secret:a}"}, secrets={"a": "x1"})
    host.wait("result", id=id)
    assert host.log() == "${secret:a}\n"


def test_masked_in_errors_tracebacks_and_across_writes(host):
    host.file(
        "s.py",
        """
        import os, sys
        def f():
            s = os.environ["S"]
            for part in (s[:3], s[3:5], s[5:]):
                os.write(1, part.encode())
            print("\\n" + repr(s))
            raise ValueError(f"bad {s}")
        """,
    )
    secret = "p'ss\nw\"rd-långt"
    result = host.run("py", "s.f", env={"S": "${secret:k}"}, secrets={"k": secret})
    everything = str(host.messages)
    assert not result["ok"]
    assert "ValueError: bad ***" in result["error"]["stacktrace"]
    for line in ("långt", 'w"rd', "l\\xe5ngt"):
        assert line not in everything


@pytest.mark.parametrize("size", [10, 70_000, 200_000])
def test_masked_within_a_very_long_line(host, size):
    host.file("s.py", "import os, sys\ndef f(size):\n  sys.stdout.write(('x' * size + os.environ['S']) * 3)\n")
    host.run("py", "s.f", params={"size": size}, env={"S": "${secret:k}"}, secrets={"k": "top-secret-9"})
    assert host.log() == ("x" * size + "***") * 3


def test_the_runners_variables_are_gone(start_host):
    host = start_host(env={"TROWEL_SECRET_X": "hide me"})
    host.file("s.py", "import os\ndef f(): print([k for k in os.environ if 'TROWEL' in k])\n")
    assert host.py("s.f")["ok"]
    assert host.log() == "[]\n"


@pytest.mark.parametrize("pad", [0, 5_300, 65_500, 100_000])
def test_those_of_other_tasks_are_hidden_before_anything_is_cut(any_host, pad):
    """E.g. one that an earlier task has stored: it is in no variable, and no letter of it is left at a cut."""
    any_host.file(
        "s.py", "def f(pad, token):\n  print('-' * pad + token)\n  raise ValueError(('-' * pad + token + '-' * pad + '\\n') * 3)\n"
    )
    secret = "Q" * 60 + "Z9"
    result = any_host.run("py", "s.f", params={"pad": pad, "token": f"Bearer {secret}"}, hide=[secret])
    assert not result["ok"]
    assert "Q" not in str([message for message in any_host.messages if message["type"] != "started"])
    assert any_host.log().startswith("-" * pad + "Bearer ***\n")
    seen = any_host.py("s.f", pad=0, token="x")  # it is told nobody else
    assert "Q" not in str(seen)


def test_forms_of_a_secret_that_python_prints(host):
    host.file(
        "s.py",
        """
        import html, json, os, shlex, urllib.parse, base64
        def f():
            s = os.environ["S"]
            for form in (str, repr, ascii, json.dumps, html.escape, shlex.quote, urllib.parse.quote, urllib.parse.quote_plus):
                print(form.__name__, form(s))
            print("utf-8", s.encode())
            print("in json", json.dumps({"a": [json.dumps({"b": s})]}))
            print("base64", base64.b64encode(f"me:{s}".encode()).decode(), base64.urlsafe_b64encode(s.encode()).decode())
        """,
    )
    secret = "p&ss <w\u00f6rd>'\"\\/+?\u20ac\U0001f600 x"
    assert host.run("py", "s.f", env={"S": "${secret:k}"}, secrets={"k": secret})["ok"]
    log = host.log()
    assert log.count("***") == 12, log
    for part in ("ss <", "&lt;", "rd>", "%3E", "1f600", "xf6"):
        assert part not in log, log
