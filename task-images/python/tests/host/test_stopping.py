"""task.py: what a task may do when it is stopped."""

from __future__ import annotations


def test_a_script_cleans_up(host):
    id = host.start("sh", "trap 'sleep 0.5; touch cleaned; exit 3' TERM; echo ready; sleep 30 & wait")
    host.wait("log", id=id)
    host.send(type="kill", id=id, grace=5)
    host.send(type="stop", grace=5)
    host.process.stdin.close()
    assert host.wait("result", id=id)["result"]["ok"] is False
    assert (host.project / "cleaned").exists()
