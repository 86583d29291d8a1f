"""sh>, as digdag runs it (docs/operators.md)."""

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


KIB = 1024
LARGE = {f"part_{n}": "z" * 120 * KIB for n in range(30)}


@pytest.mark.parametrize(
    "script, params, fields, printed",
    [
        ("echo hello", LARGE, {}, "hello"),
        ("echo $word ${#part_7}", {**LARGE, "word": "w"}, {}, "w 122880"),
        ("echo ${#page}", {"page": "z" * (128 * KIB - 6)}, {}, "131066"),
        ("echo page $$ >/dev/null; echo fine", {"page": "z" * 140_000}, {}, "fine"),
        ("# of $page\necho fine", {"page": "z" * 140_000}, {}, "fine"),
        ("/bin/echo $(/bin/echo $small)", {**LARGE, "small": "s"}, {}, "s"),
        ("printenv word | wc -c", {**LARGE, "word": "word"}, {}, "5"),
        ("echo ${page-none}", {"page": "a\0b"}, {"env": {"page": "own"}}, "own"),
    ],
)
def test_large_variables(any_host, script, params, fields, printed):
    result = any_host.run("sh", script, params=params, **fields)
    assert result["ok"], result
    assert any_host.log().strip() == printed


@pytest.mark.parametrize(
    "script, params, fields, message",
    [
        ("echo $page", {"page": "z" * 140_000}, {}, "sh>: the variable 'page' has 140000 bytes"),
        ("echo ${#page}", {"page": "z" * (128 * KIB - 5)}, {}, "sh>: the variable 'page' has 131067 bytes"),
        ("printf %s ${page%z}", {"page": ["z" * 140_000]}, {}, "sh>: the variable 'page' has 140004 bytes"),
        ("python3 -c 'import os; os.environ[\"page\"]'", {"page": "z" * 140_000}, {}, "sh>: the variable 'page' has 140000 bytes"),
        ("printenv page", {"page": "z" * 140_000}, {}, "sh>: the variable 'page' has 140000 bytes"),
        ("echo", {}, {"env": {"BIG": "z" * 140_000}}, "_env: the variable 'BIG' has 140000 bytes"),
        ("echo $page", {"page": "a\0b"}, {}, "sh>: the variable 'page' contains a NUL character"),
        ("echo " + " ".join(f"${name}" for name in LARGE), LARGE, {}, "The largest: 'part_0' (122880 bytes), "),
    ],
)
def test_variable_that_cannot_be_given(host, script, params, fields, message):
    error = host.run("sh", script, params=params, **fields)["error"]
    assert message in error["message"]
    assert error["name"] == "Trowel.TaskFailed"


def test_variable_that_a_called_script_uses(host):
    (host.project / "use.sh").write_text("exec ./then.sh\n")
    (host.project / "then.sh").write_text('printf %s "$page" | wc -c\n')
    (host.project / "other.py").write_text('import os\nprint(len(os.environ["size"]))\n')
    (host.project / "notes.md").write_text("About $page.\n")
    error = host.run("sh", "sh ./use.sh", params={"page": "z" * 140_000})["error"]
    assert "sh>: the variable 'page' has 140000 bytes" in error["message"]
    error = host.run("sh", "sh use.sh", params={"page": "a\0b"})["error"]
    assert "sh>: the variable 'page' contains a NUL character" in error["message"]
    assert host.run("sh", "python3 other.py; cat notes.md", params={"page": "z" * 140_000, "size": "12"})["ok"]


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
