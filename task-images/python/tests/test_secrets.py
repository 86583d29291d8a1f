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
