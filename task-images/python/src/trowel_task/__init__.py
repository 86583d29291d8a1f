"""Runs tasks of Trowel workflows: Python functions (py>) and shell scripts (sh>), one process a task.

A host (the command line) talks to `worker` in JSON lines: docs/protocol.md. In a container on AWS, `fargate` takes its one task from S3 and
answers the state that waits. What is where:

    worker, task, process, forked, host, loop, routines, linux   the parent: messages, timers, forking, killing
    assignment, child       what is asked for, and what happens in a task's own process
    bind, digdag_api, shell, debugging   how user code is found, called and served
    subtasks, scopes        tasks made at run time by digdag.env.add_subtask
    values, merge, canonical, digests, results   what a task stores, and how it is recorded
    masks, logs, secrets, errors         what may be said about it
    run, fargate, fargate_answer         one task alone: in the foreground, in a container
    bootstrap               a container's command: fetches this package and the project
    aws, connections, remote             S3, Step Functions and Lambda, by the standard library

An adapter for another kind of task is one more module that `child` calls and that gives a `digdag_api.Ran`.

Standard library only. Modules that the parent loads import little: the time from start to `ready` is felt by every user.
"""

PROTOCOL = 1
__version__ = "0.1.0"
