"""Times a container's start, bundle unpacked: from the process `python -m trowel_task fargate` to the first line of user code. `TEST-PYTHON
bench/container_start.py [REPEATS] [PYTHON]`, where TEST-PYTHON is the one of the tests (test/python.ts) and PYTHON the container's.

S3 is moto's server and Step Functions played (task-images/python/tests/aws.py), both on loopback in processes of their own: no TLS and no
way to a service is in these figures. CPU is that of the runner and the task, user and system.
"""

from __future__ import annotations

import os
import resource
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent / "task-images" / "python" / "tests"
sys.path[:0] = [str(TESTS)]

from aws import Aws  # noqa: E402
from moto.server import ThreadedMotoServer  # noqa: E402

TASK = "import time\ndef f(): print(time.time())\n"


def serve(folder: Path):
    """The services in a process of their own, so that they do not compete for this one's interpreter lock: (pid, Aws)."""
    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    return Aws(f"http://127.0.0.1:{server.get_host_and_port()[1]}", folder)


def main(repeats: int, python: str) -> None:
    folder = Path(tempfile.mkdtemp(prefix="trowel-bench-"))
    try:
        aws = serve(folder)
        aws.file("tasks.py", TASK)
        pointer = aws.assign("py", "tasks.f")
        walls, cpus = [], []
        for _ in range(repeats + 1):
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            began = time.time()
            process = aws.start(pointer, python=python)
            output = process.communicate(timeout=60)[0]
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            walls.append(float(output) - began)
            cpus.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
        walls, cpus = walls[1:], cpus[1:]
        shown = os.path.realpath(python)
        print(f"{shown}, {repeats} runs: median (min-max)")
        for name, values in (("to the first line of user code", walls), ("CPU of the whole container", cpus)):
            print(f"{name}: {statistics.median(values):.3f} s ({min(values):.3f}-{max(values):.3f})")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 15, sys.argv[2] if len(sys.argv) > 2 else sys.executable)
    os._exit(0)  # the servers' threads
