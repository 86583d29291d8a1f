"""Reports of one task: masked, cut, counted (host/reports.py), and as objects in S3 (host/fargate_reports.py)."""

import json
import re

import pytest
from small_aws import ROOT

from trowel_task.aws import remote
from trowel_task.contract import reports
from trowel_task.contract.masks import Masker
from trowel_task.host import fargate_reports
from trowel_task.host.fargate_reports import ReportObjects
from trowel_task.host.loop import Loop
from trowel_task.host.reports import Reports


def line(data, kind="k", level="info", **more):
    return json.dumps({"kind": kind, "level": level, "data": data, **more}).encode()


@pytest.fixture
def taken():
    sent, said = [], []
    made = Reports(Masker(["hush-hush"]), sent.append, said.append)
    made.sent, made.said = sent, said
    return made


def test_what_is_beyond_the_limit_is_counted(taken, monkeypatch):
    monkeypatch.setattr(reports, "MOST", 3)
    for n in range(5):
        taken.take(line(n))
    assert [report["data"] for report in taken.sent] == [0, 1, 2]
    assert taken.said == ["trowel: a task may report 3 times; what it reports from here on is left out\n"]
    taken.close()
    assert taken.said[1:] == ["trowel: 2 reports of this task were left out\n"]


def test_within_the_limit_nothing_is_said(taken):
    taken.take(line(1))
    taken.close()
    assert taken.said == []


def test_no_part_of_a_secret_is_left_by_the_cut(taken):
    filler = "x" * (reports.KEPT - 5)
    taken.take(line([f"{filler}hush-hush", "y" * reports.LIMIT]))
    (report,) = taken.sent
    assert "hush" not in report["data"] and report["data"].startswith(f'["{filler}***')
    taken.take(line(f"{filler}hush-hush", cut=7_000_000))
    assert taken.sent[1]["cut"] == 7_000_000 and "hush" not in taken.sent[1]["data"]


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b"1", line(1, kind="X"), line(1, level="loud"), b'{"kind": "k"}', b"[" * 100_000])
def test_what_is_no_report_is_passed_over(taken, text):
    taken.take(text)
    assert (taken.sent, taken.said) == ([], [])


class Written:
    def __init__(self, monkeypatch):
        self.objects = {}
        self.fails = 0
        monkeypatch.setattr(remote, "save", self._save)

    def _save(self, uri, data):
        if self.fails:
            self.fails -= 1
            raise OSError("no network")
        self.objects[uri] = data

    def lines(self):
        return [json.loads(line) for data in self.objects.values() for line in data.splitlines()]


def test_objects_grow_until_they_have_a_mebibyte(monkeypatch):
    written = Written(monkeypatch)
    monkeypatch.setattr(fargate_reports, "PART", 1000)
    objects = ReportObjects("s3://b/results/x.reports", Loop())
    for n in range(30):
        objects.add({"kind": "k", "level": "info", "data": n})
    objects.close(print)
    assert [line["data"] for line in written.lines()] == list(range(30))
    *full, last = (len(data) for data in written.objects.values())
    assert all(1000 <= size < 1100 for size in full) and last < 1000
    assert list(written.objects) == [f"s3://b/results/x.reports.{n + 1}.jsonl" for n in range(len(full) + 1)]


def test_the_first_report_is_written_at_once(monkeypatch):
    written = Written(monkeypatch)
    loop = Loop()
    objects = ReportObjects("s3://b/x", loop)
    objects.add({"kind": "k", "level": "info", "data": 1})
    loop.once()
    assert [line["data"] for line in written.lines()] == [1]


def test_what_could_not_be_written_is_written_later_or_counted(monkeypatch):
    written = Written(monkeypatch)
    loop = Loop()
    objects = ReportObjects("s3://b/x", loop)
    written.fails = 1
    objects.add({"kind": "k", "level": "info", "data": 1})
    loop.once()
    objects.add({"kind": "k", "level": "info", "data": 2})
    said = []
    objects.close(said.append)
    assert [line["data"] for line in written.lines()] == [1, 2] and said == []
    objects.add({"kind": "k", "level": "info", "data": 3})
    written.fails = 1
    objects.close(said.append)
    assert said == ["1 reports could not be written: OSError: no network"]


REPORTS = f"{ROOT}/results/+main+a.0.0.reports"


def test_a_container_writes_reports_before_it_answers(aws):
    text = """
def run(host):
    host.report('asset', {'key': 'hush-hush'})
    ended = host.python().wait()
    host.report('ended', ended.exit, 'warning')
    host.fail('broken', ended.exit)
"""
    aws.adapter("standin", text)
    aws.file("tasks.py", "import os\ndef f(): os.kill(os.getpid(), 9)\n")
    fields = {"adapter": "standin", "reports": REPORTS, "secrets_env": {"k": "TROWEL_SECRET_k"}}
    code, output, answer = aws.run("py", "tasks.f", env={"TROWEL_SECRET_k": "hush-hush"}, **fields)
    assert (code, output) == (1, "")
    assert (answer["error"], answer["message"], answer["exit"]) == ("Trowel.TaskFailed", "broken", 137)
    lines = [json.loads(line) for line in aws.get(f"{REPORTS}.1.jsonl").splitlines()]
    assert [(line["kind"], line["level"], line["data"]) for line in lines] == [("asset", "info", {"key": "***"}), ("ended", "warning", 137)]
    assert all(re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line["time"]) for line in lines)


def test_a_container_without_a_place_for_reports_prints_them(aws):
    """Of a `launch` that is older than the bundle."""
    aws.adapter("standin", "def run(host): host.report('asset', {'key': 'a'}, 'warning')")
    assert aws.run("sh", "true", adapter="standin")[:2] == (0, 'report  asset (warning): {"key": "a"}\n')


def test_a_task_without_reports_writes_none(aws):
    assert aws.run("sh", "true", reports=REPORTS)[0] == 0
    assert aws.keys("attempts/main/run-1/results") == ["attempts/main/run-1/results/+main+a.0.json"]
