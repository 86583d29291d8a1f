"""Makes the fixture `digdag` known to pytest. It comes with Trowel, from the node_modules of this folder or of one above it."""

import sys
from pathlib import Path

for folder in Path(__file__).resolve().parents:
    package = folder / "node_modules/trowel/task-images/python/src"
    if package.is_dir():
        sys.path.append(str(package))
        break

from trowel_task.testing import digdag  # noqa: F401
