"""sh> (contract section 6)."""

import pytest


@pytest.mark.parametrize(
    "script, params, fields, printed",
    [
        ("echo $planet $moons $hot", {"planet": "Venus", "moons": 0, "hot": True}, {}, "Venus 0 true"),
        ('echo "[$none] $obj"', {"none": None, "obj": {"a": [1, "é"]}}, {}, '[] {"a":[1,"é"]}'),
        ("echo $A $B", {"A": "param"}, {"env": {"A": "env", "B": 42}}, "env 42"),
        ("echo out; echo err >&2", {}, {}, "out\nerr"),
        ("false\necho on", {}, {}, "on"),
        ("pwd | sed 's,.*/,,'", {}, {"workdir": "sub"}, "sub"),
        ("echo ${BASH_VERSION:+bash}".replace(":+", "+"), {"shell": ["bash", "-e"]}, {}, "bash"),
        ("echo ${BASH_VERSION+bash}", {"sh": {"shell": ["bash"]}}, {}, "bash"),
        ('read x; echo "got $x."', {}, {}, "got ."),
    ],
)
def test_script(any_host, script, params, fields, printed):
    host = any_host
    (host.project / "sub").mkdir()
    result = host.run("sh", script, params=params, **fields)
    assert result["ok"], result
    assert host.log().strip() == printed


@pytest.mark.parametrize(
    "script, params, fields, message",
    [
        ("exit 17", {}, {}, "Command failed with code 17 (runtime)"),
        ("kill -9 $$", {}, {}, "Command failed with code 137: killed by SIGKILL, perhaps out of memory (runtime)"),
        ("false\necho strict", {"shell": ["/bin/sh", "-e"]}, {}, "Command failed with code 1 (runtime)"),
        ("echo", {"shell": ["/no/shell"]}, {}, "Cannot start the shell '/no/shell': No such file or directory"),
        ("echo ${foo:bar}", {}, {}, "Invalid parametrization: '${foo:bar}' (config)"),
        ("echo", {}, {"env": {"two-words": "x"}}, "Invalid _env key name: two-words (config)"),
    ],
)
def test_failure(host, script, params, fields, message):
    error = host.run("sh", script, params=params, **fields)["error"]
    assert (error["name"], error["message"]) == ("Trowel.TaskFailed", message)


HINT = " Packages of the operating system come with the image: `apt: [NAME]` in trowel.yml"


@pytest.mark.parametrize(
    "script, hinted",
    [
        ("false apt-get update", True),
        ("apt() { return 100; }\napt install -y ffmpeg", True),
        ("set -e\nfalse sudo dpkg --force -i x.deb", True),
        ("echo adapt; false to install", False),
        ("false", False),
    ],
)
def test_apt_in_a_task(host, script, hinted):
    error = host.run("sh", script)["error"]
    assert error["message"].endswith(HINT) == hinted


def test_broken_pipes_are_normal_in_a_script(host):
    assert host.run("sh", "yes | head -1")["ok"]
    assert "Broken" not in host.log()


def test_a_background_process_ends_with_the_script(host):
    assert host.run("sh", "sleep 60 & echo pid $!")["ok"]
    from conftest import gone

    assert gone(int(host.log().split()[1]))
