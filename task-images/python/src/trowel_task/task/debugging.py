"""`trowel run --debug +task`: the task with pdb on the terminal, or waiting for a debugger on a port."""

from __future__ import annotations

import os
import sys

from trowel_task.contract.errors import FAILED, TaskError, is_runner

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Any


def on_terminal(debug: dict[str, Any] | None) -> bool:
    return debug is not None and debug.get("mode") == "pdb"


def take_terminal() -> None:
    """Puts the terminal on descriptors 0, 1 and 2. The process stays in the host's group, so that it may read from it."""
    try:
        tty = os.open("/dev/tty", os.O_RDWR)
    except OSError as error:
        raise TaskError(FAILED, f"--debug needs a terminal ({error.strerror}); without one give --debug-port, for debugpy") from None
    for fd in (0, 1, 2):
        os.dup2(tty, fd)
    os.close(tty)


def prepare(debug: dict[str, Any] | None, task: str) -> None:
    if debug is None:
        return
    if on_terminal(debug):
        try:
            import readline  # noqa: F401  line editing in pdb
        except ImportError:
            pass
        print(f"debugging {task}: breakpoint() stops there; an exception opens the debugger", file=sys.stderr)
        return
    try:
        import debugpy  # type: ignore[import-not-found,unused-ignore]
    except ImportError:
        raise TaskError(FAILED, "--debug with a port needs the package debugpy: add it to the requirements") from None
    port = int(debug.get("port") or 5678)
    debugpy.listen(("127.0.0.1", port))
    print(f"debugging {task}: waiting for a debugger on 127.0.0.1:{port}", file=sys.stderr, flush=True)
    debugpy.wait_for_client()


def post_mortem(debug: dict[str, Any] | None, error: BaseException) -> None:
    """Opens pdb where user code failed."""
    tb: TracebackType | None = error.__traceback__
    while tb is not None and is_runner(tb.tb_frame.f_code.co_filename):
        tb = tb.tb_next
    if not on_terminal(debug) or tb is None:
        return
    import pdb
    import traceback

    traceback.print_exception(type(error), error, tb)
    try:
        pdb.post_mortem(tb)
    except (SystemExit, KeyboardInterrupt):
        pass
