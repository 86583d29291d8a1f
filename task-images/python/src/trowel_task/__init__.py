"""Runs tasks of Trowel workflows: Python functions (py>) and shell scripts (sh>), one process a task.

A host (the command line, later a container's command) talks to `worker` in JSON lines: docs/protocol.md. What is where:

    worker, loop, process   the parent: descriptors, timers, forking, killing     (transport)
    child                   what happens in a task's own process
    bind, digdag_api, shell, debugging   how user code is found, called and served
    subtasks, scopes        tasks made at run time by digdag.env.add_subtask
    values, merge, canonical, results    what a task stores, and how it is recorded
    masks, logs, secrets, errors         what may be said about it

An adapter for another kind of task is one more module that `child` calls and that gives a `digdag_api.Ran`.

Standard library only. Modules that the parent loads import little: the time from start to `ready` is felt by every user.
"""

PROTOCOL = 1
__version__ = "0.1.0"
