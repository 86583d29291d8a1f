"""Runs tasks of Trowel workflows: Python functions (py>) and shell scripts (sh>), one process a task.

A host (the command line) talks to `worker` in JSON lines: docs/protocol.md. In a container on AWS, `fargate` takes its one task from S3 and
answers the state that waits. Each folder may import those below it, and none above (tests/test_rooms.py):

    testing, __main__       entries: a pytest plugin, the commands
    host                    the process above the tasks: messages, timers, forking, killing; one task in the foreground or in a container
    check                   what `trowel check` asks of files and of this Python
    adapters                kinds of tasks, by what user code finds there and how it is called; loaded by name
    subtasks                tasks that a task makes at run time
    task                    a task's own process, and what an adapter gets of it
    store                   what a task stores, and how it is recorded
    kinds                   which Python object is kept as what
    aws                     S3, Step Functions and Lambda; a container's command
    contract                what crosses a process: assignments, failures, the form of values
    system                  files, hashes, processes

Standard library only. Modules that the parent loads import little: the time from start to `ready` is felt by every user.
"""

PROTOCOL = 1
__version__ = "0.1.0"
