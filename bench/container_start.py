"""Times a container's start. `TEST-PYTHON bench/container_start.py [REPEATS] [PYTHON]`, where TEST-PYTHON is the one of the tests
(test/python.ts) and PYTHON the container's.

- runner: from `python -m trowel_task fargate`, bundle unpacked, to the first line of user code;
- container: the same from the container's command on, which fetches and unpacks a bundle without requirements first;
- CPU: of all processes of the container, user and system.

Every run finds what a new container of a stock image finds: no compiled library but for what the container's command has imported. S3 is
moto's server and Step Functions played (task-images/python/tests/small_aws.py), on loopback: no TLS and no way to a service is in the figures.
"""

from __future__ import annotations

import hashlib
import io
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent / "task-images" / "python" / "tests"
sys.path.insert(0, str(TESTS))

from small_aws import BUCKET, Aws  # noqa: E402
from conftest import SOURCE  # noqa: E402
from moto.server import ThreadedMotoServer  # noqa: E402

BOOTSTRAP = (SOURCE / "trowel_task" / "aws" / "bootstrap.py").read_text()
TASK = "import time\ndef f(): print(time.time())\n"


def bundle(runner: bool) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        if runner:
            for path in (SOURCE / "trowel_task").rglob("*.py"):
                made.write(path, path.relative_to(SOURCE).as_posix())
        else:
            made.writestr("trowel_task/__main__.py", "")
        made.writestr("project/tasks.py", TASK)
    return out.getvalue()


def measure(command: list[str], cwd: Path, env: dict[str, str]) -> tuple[float, float]:
    """Seconds to what the task prints, and of CPU."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.time()
    output = subprocess.run(command, cwd=cwd, env=env, stdout=subprocess.PIPE, check=True, text=True).stdout
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return (float(output) if output else time.time()) - began, cpu


def main(repeats: int, python: str, folder: Path) -> None:
    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    aws = Aws(f"http://127.0.0.1:{server.get_host_and_port()[1]}", folder)
    aws.file("tasks.py", TASK)
    pointer = aws.assign("py", "tasks.f")

    def env(cache: Path, data: bytes) -> dict[str, str]:
        sha256 = hashlib.sha256(data).hexdigest()
        aws.put(f"bundles/{sha256}.zip", data)
        at = {"TROWEL_ASSIGNMENT": pointer, "TROWEL_BUNDLE": f"s3://{BUCKET}/bundles/{sha256}.zip", "TROWEL_BUNDLE_SHA256": sha256}
        return {**aws.env, **at, "PYTHONPYCACHEPREFIX": str(cache), "PYTHONDONTWRITEBYTECODE": ""}

    whole = [python, "-c", BOOTSTRAP]
    measure(whole, folder, env(folder / "warm", bundle(runner=False)))
    runner, container = [], []
    for at in range(repeats):
        fresh, warm = folder / f"cache{at}", folder / f"warm{at}"
        shutil.copytree(folder / "warm", warm)
        container.append(measure(whole, folder, env(fresh, bundle(runner=True))))
        runner.append(measure([python, "-m", "trowel_task", "fargate"], aws.bundle, env(warm, b"")))
    print(f"{os.path.realpath(python)}, {repeats} runs each: median (min-max), seconds")
    for name, samples in (("runner", runner), ("container", container)):
        for what, values in zip(("to the first line of user code", "CPU"), zip(*samples)):
            print(f"{name}, {what}: {statistics.median(values):.2f} ({min(values):.2f}-{max(values):.2f})")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="trowel-bench-", ignore_cleanup_errors=True) as made:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 15, sys.argv[2] if len(sys.argv) > 2 else sys.executable, Path(made))
        sys.stdout.flush()
    os._exit(0)  # the servers' threads
