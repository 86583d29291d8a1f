"""The one task of a container, as a plain process, against moto's S3 and a played Step Functions (small_aws.py)."""

import hashlib
import json
import os
import re
import signal
import time
from pathlib import Path

import pytest
from conftest import SOURCE, gone
from small_aws import BUCKET, ROOT

from trowel_task.host import fargate


def test_success(aws):
    aws.file("tasks.py", "import digdag\ndef f(n):\n  print('hello', n)\n  digdag.env.store(n=n + 1)\n")
    code, output, answer = aws.run("py", "tasks.f", params={"n": 1}, layers=[{"old": 1}], merge=1)
    assert (code, output) == (0, "hello 1\n")
    assert answer == {"s": {"old": 1, "n": 2}}
    assert aws.actions() == ["SendTaskHeartbeat", "SendTaskSuccess"]
    record = json.loads(aws.get(f"{ROOT}/results/+main+a.0.json"))
    assert record["result"]["s"] == {"old": 1, "n": 2}
    assert set(record["read"]) == {"n"}


def test_shell(aws):
    code, output, answer = aws.run("sh", "echo out; echo err >&2; pwd")
    assert code == 0 and answer == {"stored": {}}
    assert output == f"out\nerr\n{os.path.realpath(aws.bundle / 'project')}\n"


@pytest.mark.parametrize("code", ["TaskTimedOut", "TaskDoesNotExist", "InvalidToken"])
def test_refused_first_heartbeat_runs_no_user_code(aws, code):
    aws.refuse["SendTaskHeartbeat"] = [code]
    exit_code, output, answer = aws.run("sh", "echo ran")
    assert (exit_code, answer) == (0, None)
    assert output == "trowel: nobody waits for this task any more; it is not run\n"


def test_first_heartbeat_is_repeated_while_the_service_fails(aws):
    aws.refuse["SendTaskHeartbeat"] = ["InternalError"] * 3
    assert aws.run("sh", "true", hurried=True)[2] == {"stored": {}}


def test_heartbeats_go_on_and_a_refused_one_ends_the_task(aws):
    aws.refuse["SendTaskHeartbeat"] = [None, None, "InternalError", "TaskTimedOut"]
    aws.file("t.sh", "trap 'echo cleaned; exit' TERM\necho began\nwhile :; do sleep 0.05; done\n")
    code, output, answer = aws.run("sh", "exec sh ./t.sh", heartbeat=4)
    assert (code, answer) == (0, None)
    assert output.startswith("began\n")
    assert output.endswith("cleaned\ntrowel: nobody waits for this task any more; it was ended\n")
    assert aws.keys("attempts/main/run-1/results") == []


def test_a_refused_heartbeat_ends_the_whole_process_tree(aws):
    aws.refuse["SendTaskHeartbeat"] = [None, None, "TaskTimedOut"]
    aws.file("t.py", "import os, subprocess\nprint(subprocess.Popen(['sleep', '600']).pid, flush=True)\nsubprocess.run(['sleep', '600'])\n")
    script = "setsid sleep 600 & echo $!; sleep 600 & echo $!; exec python3 ./t.py"
    code, output, answer = aws.run("sh", script, heartbeat=0.8)
    assert (code, answer) == (0, None)
    pids = [int(line) for line in output.split("\n") if line.isdigit()]
    assert len(pids) == 3 and all(gone(pid) for pid in pids)


def test_deadline(aws):
    code, _, answer = aws.run("sh", "sleep 60", timeout=0.5)
    assert code == 1
    assert (answer["error"], answer["message"]) == ("Trowel.TaskTimeout", "Task timed out after 0.5s")


@pytest.mark.parametrize("told", [signal.SIGTERM, signal.SIGINT, signal.SIGQUIT], ids=lambda told: told.name)
def test_sigterm_is_told_before_the_end(aws, told):
    """Fargate sends the STOPSIGNAL of an image: SIGTERM, or another one of a project's own image."""
    process = aws.start(aws.assign("sh", "trap 'echo saved; exit' TERM; echo began; while :; do sleep 0.05; done"))
    assert process.stdout.readline() == "began\n"
    process.send_signal(told)
    assert process.communicate(timeout=20)[0].endswith("saved\n")
    answer = aws.answer()
    assert answer["error"] == "Trowel.TaskLost" and told.name in answer["message"]


def test_trap_spot_gives_two_minutes():
    """What a task has after SIGTERM ends before the container's stopTimeout, with time to tell."""
    constructs = SOURCE.parent.parent.parent / "lib" / "cloud" / "containers.ts"
    stop_timeout = int(re.search(r"STOP_TIMEOUT = (\d+);", constructs.read_text())[1])
    assert stop_timeout <= 120 and stop_timeout >= fargate.LAST + 20


def test_a_task_that_was_killed_for_its_memory_names_the_way_out(aws):
    message = aws.run("sh", "kill -9 $$")[2]["message"]
    assert "perhaps out of memory: raise task.memory in trowel.yml, or resources.memory of this task" in message
    aws.calls.clear()
    aws.file("tasks.py", "import os\ndef f(): os.kill(os.getpid(), 9)\n")
    assert "perhaps out of memory: raise task.memory" in aws.run("py", "tasks.f")[2]["message"]


def test_lines_appear_when_they_are_printed(aws):
    go = aws.bundle / "go"
    wait = f"while not os.path.exists({str(go)!r}): time.sleep(0.01)"
    aws.file("tasks.py", f"import os, time\ndef f():\n  print('first')\n  {wait}\n  print('last', end='')\n")
    process = aws.start(aws.assign("py", "tasks.f"))
    assert process.stdout.readline() == "first\n"
    assert process.poll() is None and "SendTaskSuccess" not in aws.actions()
    go.touch()
    assert process.communicate(timeout=60)[0] == "last\n"


def test_an_assignment_of_version_1_is_understood(aws):
    """As launch wrote it when version 1 was current: never to be changed."""
    recorded = Path(__file__).resolve().parents[4] / "test/lib/contract/recorded/assignment-v1.json"
    aws.put("assignments/recorded.json", recorded.read_bytes())
    aws.file(
        "tasks.py", "import digdag, os\ndef load(path, days):\n  print(path, os.environ['LEVEL'])\n  digdag.env.store(rows=len(days))\n"
    )
    process = aws.start(aws.address("assignments/recorded.json"), TROWEL_SECRET_pg_2Epassword="hush")
    assert process.communicate(timeout=60)[0] == "s3://x/sales_eu/2030-01-01 info\n"
    assert aws.answer() == {"s": {"rows": 2}}


def test_failure_has_a_traceback_in_the_value_store_and_in_the_cause(aws):
    aws.pages["/v4/x"] = (200, {"LogOptions": {"awslogs-group": "/trowel/p", "awslogs-region": "eu-west-1", "awslogs-stream": "t/c/1"}})
    aws.file("tasks.py", "def f():\n  raise ValueError('no such region')\n")
    code, output, answer = aws.run(
        "py", "tasks.f", env={"ECS_CONTAINER_METADATA_URI_V4": f"{aws.played}/v4/x", "http_proxy": "http://127.0.0.1:9"}
    )
    assert code == 1 and "ValueError: no such region" in output
    assert answer["error"] == "Trowel.TaskFailed" and answer["task"] == "+main+a"
    assert "no such region (ValueError)" in answer["message"]
    assert answer["stacktrace"].endswith("ValueError: no such region")
    assert aws.get(answer["traceback"]).decode() == answer["stacktrace"]
    assert "log-group/$252Ftrowel$252Fp/log-events/t$252Fc$252F1" in answer["log"]
    assert aws.keys("attempts/main/run-1/results") == []


@pytest.mark.parametrize("text", ["'\\x01\"' * 30_000", "'\\U0001f600' * 14_000"])
def test_trap_a_cause_may_have_32768_characters(aws, text):
    aws.file("tasks.py", f"def f(): raise ValueError({text})\n")
    answer = aws.run("py", "tasks.f")[2]
    assert answer["length"] <= 32_768 and answer["error"] == "Trowel.TaskFailed"


def test_secrets_reach_the_task_that_names_them_and_no_other_place(aws):
    aws.file(
        "tasks.py",
        "import os\ndef f():\n  print(os.environ['PASSWORD'])\n  print([n for n in os.environ if 'TROWEL_' in n])\n"
        "  raise ValueError(os.environ['PASSWORD'])\n",
    )
    env = {"TROWEL_SECRET_pg_2Epassword": "hush-hush", "TROWEL_SECRET_other": "other"}
    process = aws.start(
        aws.assign("py", "tasks.f", secrets_env={"pg.password": "TROWEL_SECRET_pg_2Epassword"}, env={"PASSWORD": "${secret:pg.password}"}),
        **env,
    )
    output, answer = process.communicate(timeout=60)[0], aws.answer()
    assert output.startswith("***\n[]\n") and "hush" not in output
    assert "hush" not in json.dumps(answer) and "hush" not in aws.get(answer["traceback"]).decode()


def test_a_task_gets_none_of_the_secrets_that_it_does_not_name(aws):
    process = aws.start(aws.assign("sh", "true", env={"A": "${secret:other}"}), TROWEL_SECRET_other="hush")
    assert "hush" not in process.communicate(timeout=60)[0]
    assert (aws.answer()["error"], aws.answer()["message"]) == ("Trowel.Secret", "Secret not found for key: 'other'")


def test_a_missing_secret(aws):
    process = aws.start(aws.assign("sh", "true", secrets_env={"a": "TROWEL_SECRET_a"}, env={"A": "${secret:a}"}))
    process.communicate(timeout=60)
    assert (aws.answer()["error"], aws.answer()["message"]) == ("Trowel.Secret", "Secret not found for key: 'a'")


def test_values_travel_by_s3(aws):
    aws.file(
        "tasks.py",
        "import digdag, pathlib\n"
        "def make():\n  pathlib.Path('my file.txt').write_text('content')\n"
        "  digdag.env.store(big='x' * 100_000, raw=b'\\x00\\xff', file=pathlib.Path('my file.txt'), small=1, tree={'a': 'y' * 20_000})\n"
        "def use(big, raw, file, tree):\n  print(len(big), raw, file.name, file.read_text(), len(tree['a']))\n"
        "  digdag.env.store(tree={'b': 1})\n",
    )
    stored = aws.run("py", "tasks.make")[2]["stored"]
    assert stored["small"] == 1
    big, file = stored["big"], stored["file"]
    assert big["bytes"] == 100_002
    assert aws.get(f"{ROOT}/values/{file['trowel:ref']}/my file.txt") == b"content"
    assert len(json.loads(aws.get(f"{ROOT}/values/{big['trowel:ref']}.json"))) == 100_000
    aws.calls.clear()
    aws.env["TMPDIR"] = str(aws.bundle.parent / "other")
    os.mkdir(aws.env["TMPDIR"])
    _, output, answer = aws.run("py", "tasks.use", params=stored, layers=[stored], merge=1)
    assert output == "100000 b'\\x00\\xff' my file.txt content 20000\n"
    tree = answer["s"]["tree"]
    assert tree == {**stored["tree"], "b": 1}
    assert answer["s"]["big"] == big


@pytest.mark.slow
def test_60_megabytes_need_no_memory_of_their_own(aws):
    """A file goes to S3 and comes back in blocks. The most memory that the task's process ever had is printed when it ends."""
    aws.file(
        "tasks.py",
        "import atexit, digdag, pathlib, resource\n"
        "atexit.register(lambda: print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10))\n"
        "def empty(): pass\n"
        "def f():\n"
        "  with open('large', 'wb') as file:\n"
        "    for i in range(60): file.write(i.to_bytes(1, 'big') * (1 << 20))\n"
        "  digdag.env.store(large=pathlib.Path('large'))\n"
        "def g(large): assert large.stat().st_size == 60 << 20\n",
    )
    least = int(aws.run("py", "tasks.empty")[1])
    aws.calls.clear()
    code, output, answer = aws.run("py", "tasks.f")
    assert code == 0 and int(output) < least + 20
    aws.calls.clear()
    aws.env["TMPDIR"] = str(aws.bundle.parent / "other")
    os.mkdir(aws.env["TMPDIR"])
    code, output, _ = aws.run("py", "tasks.g", params=answer["stored"])
    assert code == 0 and int(output) < least + 20


@pytest.mark.slow
def test_60_megabytes_in_one_value(aws):
    aws.file("tasks.py", "import digdag\ndef f(): digdag.env.store(raw=bytes(60 << 20))\ndef g(raw): print(len(raw))\n")
    stored = aws.run("py", "tasks.f")[2]["stored"]
    assert stored["raw"]["bytes"] == 60 << 20
    aws.calls.clear()
    aws.env["TMPDIR"] = str(aws.bundle.parent / "other")
    os.mkdir(aws.env["TMPDIR"])
    assert aws.run("py", "tasks.g", params=stored)[1] == f"{60 << 20}\n"


def test_a_value_that_was_changed_is_not_taken(aws):
    ref = {"trowel:ref": "0" * 64, "kind": "json", "bytes": 3}
    aws.put(f"attempts/main/run-1/values/{'0' * 64}.json", b'"x"')
    aws.file("tasks.py", "def f(x): print(x)\n")
    assert "its sha256 is another" in aws.run("py", "tasks.f", params={"x": ref})[2]["message"]
    aws.calls.clear()
    gone = {**ref, "trowel:ref": "1" * 64}
    assert "a stored value is gone" in aws.run("py", "tasks.f", params={"x": gone})[2]["message"]


@pytest.mark.parametrize("around", [0, 60_000], ids=["alone", "beside outer layers"])
def test_300_values_of_a_kilobyte_stay_within_the_environment(aws, around):
    """Trap: a result just under a state's limit fails at the transition, where nothing catches it."""
    aws.file(
        "tasks.py",
        "import digdag\ndef f(): digdag.env.store({f'k{i:03}': 'x' * 1000 + str(i) for i in range(300)})\n"
        "def g(**params): print(sum(len(params[f'k{i:03}']) for i in range(300)))\n",
    )
    frames = [{"outer": "y" * around}, {}]
    stored = aws.run("py", "tasks.f", frames=frames, layers=[{}], merge=1)[2]["s"]
    assert len(json.dumps(stored, separators=(",", ":"))) + around <= 163_840
    assert 0 < len(aws.keys("attempts/main/run-1/values/")) <= 300
    aws.calls.clear()
    assert aws.run("py", "tasks.g", params=stored, layers=[stored], merge=1)[1] == f"{300 * 1000 + 10 + 180 + 600}\n"


def test_many_small_values_are_one_file(aws):
    aws.file(
        "tasks.py",
        "import digdag\ndef f(): digdag.env.store({f'k{i:04}': 'x' * 380 for i in range(3000)})\n"
        "def g(): print(sum(f'k{i:04}' in digdag.env.params for i in range(3000)))\n",
    )
    stored = aws.run("py", "tasks.f")[2]["stored"]
    assert len(json.dumps(stored)) < 200 and len(aws.keys("attempts/main/run-1/values/")) == 1
    aws.calls.clear()
    assert aws.run("py", "tasks.g", params=stored)[1] == "3000\n"


@pytest.mark.parametrize(("character", "count"), [("x", 450_000), ("ä", 300_000), ("😀", 200_000)])
def test_trap_a_cloudwatch_event_holds_256_kilobytes(aws, character, count):
    aws.file("tasks.py", f"def f(): print('{character}' * {count}, end='\\nend')\n")
    lines = aws.run("py", "tasks.f")[1].split("\n")
    assert lines[-2:] == ["end", ""]
    assert max(len(line.encode()) for line in lines) <= 262_144 - 26
    assert sum(map(len, lines)) == count + 3


def test_subtasks(aws):
    aws.evaluate = lambda payload: {"k": {key: str(value).replace("${n}", "7") for key, value in payload["k"].items()}}
    aws.file("tasks.py", "import digdag\ndef f(): digdag.env.add_subtask({'+x': {'sh>': 'echo n=${n}'}})\n")
    code, output, answer = aws.run("py", "tasks.f", params={"n": 7}, evaluate="evaluate-fn", frames=[{"n": 7}])
    assert (code, output, answer) == (0, "n=7\n", {"stored": {}})
    assert "Invoke" in aws.actions()


def test_templates_of_subtasks_are_given_the_values_that_they_name(aws):
    """The function may read none. What is larger than a call takes is an error that says so."""
    aws.evaluate = lambda payload: {"k": {"sh>": f"echo {payload['l'][0]['big']['deep'][1]} {'trowel:ref' in payload['l'][0]['other']}"}}
    aws.file(
        "tasks.py",
        "import digdag\n"
        "def make(): digdag.env.store(big={'deep': [1, 2, 'x' * 20_000]}, other=['y' * 20_000], huge='z' * 7_000_000)\n"
        "def f(): digdag.env.add_subtask({'+x': {'sh>': 'echo ${big.deep[1]}'}})\n"
        "def g(): digdag.env.add_subtask({'+x': {'sh>': 'echo ${huge.length}'}})\n",
    )
    stored = aws.run("py", "tasks.make")[2]["stored"]
    aws.calls.clear()
    fields = {"params": stored, "frames": [stored], "evaluate": "render-fn"}
    assert aws.run("py", "tasks.f", **fields)[1] == "2 True\n"
    aws.calls.clear()
    assert "can be handed over: look large values up in the task" in aws.run("py", "tasks.g", **fields)[2]["message"]


def test_a_value_of_an_attempt_from_before_workflows_had_folders(aws):
    """Resumed: the function that took the record over has copied it to the workflow's folder; a task may read no other."""
    sha256 = hashlib.sha256(b'"kept"').hexdigest()
    aws.put(f"attempts/main/old-1/values/{sha256}.json", b'"kept"')
    ref = {"trowel:ref": f"s3://{BUCKET}/attempts/old-1/values/{sha256}.json", "kind": "json", "bytes": 6, "sha256": sha256}
    aws.file("tasks.py", "def f(x): print(x)\n")
    builtins = {"vars": {}, "attempt": {"root": ROOT, "resume": [f"s3://{BUCKET}/attempts/main/old-1"]}}
    assert aws.run("py", "tasks.f", params={"x": ref}, builtins=builtins)[1] == "kept\n"


def test_subtasks_without_the_function(aws):
    aws.file("tasks.py", "import digdag\ndef f(): digdag.env.add_subtask({'+x': {'http>': 'http://localhost/${n}'}})\n")
    assert "add_subtask cannot make a task of http> on AWS" in aws.run("py", "tasks.f", frames=[{}])[2]["message"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "there is no assignment at"),
        (b"no json", "is no JSON"),
        (b'{"v": 9}', "knows assignments of version 1, got 9"),
        (b'{"v": 1}', "has no token or no task"),
    ],
)
def test_bad_assignments(aws, content, said):
    if content:
        aws.put("assignments/b.json", content)
    process = aws.start(aws.address("assignments/b.json"))
    output = process.communicate(timeout=30)[0]
    assert process.returncode == 78 and said in output and output.count("\n") == 1
    assert aws.calls == []


@pytest.mark.parametrize("pointer", ["", f"s3://{BUCKET}/assignments/a.json", "file:///etc/passwd"])
def test_what_is_no_address(aws, pointer):
    aws.assign("sh", "true")
    process = aws.start(pointer)
    assert "TROWEL_ASSIGNMENT is no address" in process.communicate(timeout=30)[0]
    assert (process.returncode, aws.calls) == (78, [])


@pytest.mark.parametrize(
    ("status", "code", "message", "exit_code"),
    [
        (403, "AccessDenied", "Request has expired</Message><Expires>2026-01-01T00:00:00Z</Expires><Message>", 75),
        (400, "ExpiredToken", "The provided token has expired.", 75),
        (403, "InvalidAccessKeyId", "no such key", 75),
        (403, "AccessDenied", "expired is what this says", 78),
        (403, "AccessDenied", "User is not authorized to perform: s3:GetObject", 78),
        (503, "SlowDown", "Reduce your request rate", 1),
    ],
)
def test_an_address_that_holds_no_more(aws, status, code, message, exit_code):
    """Exit code 75 is a lost task to lambdas/task-stopped, which is tried again; 78 is not."""
    path = "/bucket/assignments/a.json?X-Amz-Signature=not-to-be-told"
    aws.pages[path] = (status, f"<Error><Code>{code}</Code><Message>{message}</Message></Error>".encode())
    process = aws.start(aws.played + path, hurried=True)
    output = process.communicate(timeout=60)[0]
    assert process.returncode == exit_code, output
    assert code in output and output.count("\n") == 1
    assert "not-to-be-told" not in output and aws.calls == []


def test_the_answer_is_repeated_until_it_is_heard(aws):
    aws.refuse["SendTaskSuccess"] = ["InternalError"] * 3
    process = aws.start(aws.assign("sh", "true"), hurried=True)
    process.communicate(timeout=60)
    assert process.returncode == 0 and aws.actions().count("SendTaskSuccess") == 4


def test_start_to_user_code(aws):
    """Not a measurement: docs/performance.md has those. An order of magnitude, on a busy machine."""
    aws.file("tasks.py", "import time\ndef f(): print(time.monotonic())\n")
    pointer = aws.assign("py", "tasks.f")
    began = time.monotonic()
    output = aws.start(pointer).communicate(timeout=60)[0]
    assert float(re.fullmatch(r"([\d.]+)\n", output)[1]) - began < 5
