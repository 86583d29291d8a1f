"""The end of a task: what it stored, merged upon the layers that it was given, and the record of its success (docs/protocol.md,
"Result file")."""

from __future__ import annotations

import os
import time

from trowel_task.aws import remote
from trowel_task.contract import wire
from trowel_task.contract.merge import deep_merge
from trowel_task.store import canonical, fit, places
from trowel_task.store.store import Store
from trowel_task.system import files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from trowel_task.contract.assignment import Assignment


def finish(assignment: Assignment, ran: dict[str, Any], began: float) -> dict[str, Any]:
    """The result message of a success; writes `assignment.result`. `ran`: store (encoded), read, module."""
    result: dict[str, Any] = {"ok": True}
    store = Store(assignment.root)
    places.look_in(assignment.roots())
    room = _room(assignment)
    stored = ran["store"] = fit.shrunk(store, ran["store"], room)
    if assignment.merge is None:
        result["stored"] = stored
    else:
        result["s"] = fit.shrunk(store, deep_merge(*_below(assignment), stored), room)
    result["read"] = ran["read"]
    if ran.get("returned"):
        result["returned"] = ran["returned"]
    result["seconds"] = round(time.monotonic() - began, 6)
    if assignment.result:
        record(assignment, ran, result)
    return result


def _below(assignment: Assignment) -> list[dict[str, Any]]:
    return assignment.layers[len(assignment.layers) - assignment.merge :] if assignment.merge else []


def _room(assignment: Assignment) -> int:
    """Bytes that the result may have in addition to the stored layers that stay, and as much from each task that runs at the same time."""
    frames = assignment.frames or []
    outer = frames[: len(frames) - assignment.merge] if assignment.merge else frames
    around = 0
    for at, layer in enumerate(outer):
        if isinstance(layer, dict):
            around += len(wire.dumps(layer)) * _tasks(assignment, at)
    return max(fit.REFERENCE, (fit.ENVIRONMENT - around) // _tasks(assignment, len(frames)))


def _tasks(assignment: Assignment, at: int) -> int:
    """How many tasks have such a layer at the same time."""
    count = 1
    for begin, together in assignment.shares:
        if begin <= at:
            count *= max(1, together)
    return count


def own_keys(assignment: Assignment) -> dict[str, Any]:
    """The task's own keys as they were evaluated, without built-ins."""
    return {key: assignment.params[key] for key in assignment.keys if key in assignment.params}


def record(assignment: Assignment, ran: dict[str, Any], result: dict[str, Any]) -> None:
    content = {
        "v": 1,
        "task": assignment.task,
        "keys": canonical.digest(own_keys(assignment)),
        "env": canonical.digest(assignment.env),
        "read": ran["read"],
        **({"secrets": assignment.secret_versions} if assignment.secret_versions else {}),
        "module": ran["module"],
        "stored": ran["store"],
        "result": result,
    }
    path = assignment.result or ""
    data = wire.dumps(content)
    if assignment.merge and wire.holds_marks(data):
        # A resumed attempt takes the result only for the same layers: parts in files would be merged into others.
        content["base"] = canonical.digest(_below(assignment))
        data = wire.dumps(content)
    data += b"\n"
    if remote.is_remote(path):
        remote.save(path, data)
        return
    # Not written elsewhere and renamed, which costs a tenth of a small task: half of a record is no valid JSON and is ignored.
    try:
        files.write_whole(path, data)
    except FileNotFoundError:
        os.makedirs(os.path.dirname(path), 0o700, exist_ok=True)
        files.write_whole(path, data)


def forget(path: str) -> None:
    """Removes the record of a success, if there is one."""
    try:
        if remote.is_remote(path):
            remote.remove(path)
        else:
            os.unlink(path)
    except Exception:
        pass
