"""What Linux offers beyond POSIX: no process of a task outlives its parent, and daemons of a task can be found.

Each task's process is a *subreaper*: what user code detaches (setsid, double fork) becomes its child, and when it ends, the worker's
child. So an unknown child of the worker belongs to a task that has ended. Elsewhere only the process group is ended.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_SIGKILL = 9

_prctl: Callable[..., Any] | None = None


def load() -> bool:
    """Makes the calls available; ctypes is a slow import, so the worker does this when it has said that it is ready."""
    global _prctl
    if _prctl is None and sys.platform == "linux":
        try:
            import ctypes

            _prctl = ctypes.CDLL(None).prctl
        except (ImportError, OSError, AttributeError):
            return False
    return _prctl is not None


def become_subreaper() -> None:
    if load() and _prctl is not None:
        _prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def bind_to_parent(parent: int) -> None:
    """This process is killed when its parent dies, and collects its own descendants' orphans."""
    if load() and _prctl is not None:
        _prctl(_PR_SET_PDEATHSIG, _SIGKILL, 0, 0, 0)
        _prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def no_children() -> bool:
    """Whether nothing is left of what this (subreaper) process started. Reaps what has ended."""
    if _prctl is None:
        return False
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return True
    return False


def children() -> list[int]:
    """Process ids of this process's children, zombies excepted."""
    me = str(os.getpid()).encode()
    found = []
    try:
        names = os.listdir("/proc")
    except OSError:
        return []
    for name in names:
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", "rb", 0) as file:
                    fields = file.read(512).rpartition(b")")[2].split()
            except OSError:
                continue
            if len(fields) > 1 and fields[1] == me and fields[0] != b"Z":
                found.append(int(name))
    return found
