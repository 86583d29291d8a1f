"""What a process that runs user code does before it ends, as the interpreter does at the end of a program."""

from __future__ import annotations

import atexit
import sys

from trowel_task.contract import errors
from trowel_task.task import streams


def wait_for_threads() -> None:
    threading = sys.modules.get("threading")
    if threading is not None:
        threading._shutdown()


def has_exit_functions() -> bool:
    return atexit._ncallbacks() > 0


def run_exit_functions() -> None:
    try:
        atexit._run_exitfuncs()
    except BaseException as error:
        errors.report(errors.from_exception(error))
    streams.flush()
